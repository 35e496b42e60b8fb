"""The rotator's own pairs: who rotates them, where their consumers are, and that no ordinary app is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from rotator.adapters.salesforce import key_of
from rotator.config import AppConfig, OwnApp
from rotator.config.own import OTHER, Identity, split
from rotator.domain.errors import RotatorError, UsageError
from rotator.domain.pair import Consumer
from rotator.domain.rotation import Rotation
from rotator.domain.words import State
from rotator.ports import Ledger
from rotator.saga.worker import Ports
from rotator.wiring.classic import find_classic
from rotator.wiring.connections import Connections
from rotator.wiring.settings import credentials_of


def rotates(name: str) -> Identity:
    """The identity that rotates what is called so: an own pair is the other one's, all else `admin`'s."""
    return OTHER.get(split(name)[1], "admin")


def ports_for(connections: Connections, name: str, org: str, host: str = "", ledger: Ledger | None = None) -> Ports:
    """The outside as a rotation of this app sees it. Raises ConfigError where its identity is not configured."""
    return connections.ports(org, host, ledger, by=rotates(name))


def find(connections: Connections, name: str, app: AppConfig, ports: Ports) -> Consumer:
    """The app's consumer, as the org has it. Raises ConfigError, and what reads raise."""
    if isinstance(app, OwnApp):
        return find_own(connections, name, app)
    if app.kind == "connected_app":
        return find_classic(connections, app)
    return ports.salesforce.find(app.app, app.consumer)


def find_own(connections: Connections, name: str, app: OwnApp) -> Consumer:
    """The consumer whose primary key Vault serves; the app's name is known from its table or from its last rotation.
    Raises ConfigError, and what reads raise."""
    last = connections.ledger.rotations(open_only=False, app=name)
    where = app.app or (last[-1].consumer.app_id if last else "")
    return connections.org(app.org, by=rotates(name)).find_by_key(key_now(connections, app.org, app.identity), where)


def untouchable(connections: Connections, app: AppConfig) -> frozenset[str]:
    """The consumer keys that a rotation of this app must not touch: those that the rotator logs in with. Of an own pair
    only that of the identity which rotates it. What cannot be read is left out: `check` says so (ADM-4)."""
    if isinstance(app, OwnApp):
        return frozenset({connections.org(app.org, by=OTHER[app.identity]).own_key} - {""})
    return frozenset({connections.org(app.org).own_key} - {""}) | frozenset(_others(connections, app.org))


def _others(connections: Connections, org: str) -> Iterator[str]:
    for identity in connections.config.orgs[org].logins.keys() - {"admin"}:
        with suppress(RotatorError):
            yield key_now(connections, org, identity)


def key_now(connections: Connections, org: str, identity: str) -> str:
    """The consumer key that this identity logs in with by now. Raises ConfigError, and what Vault raises."""
    login = connections.config.orgs[org].logins[identity]
    return key_of(credentials_of(login, connections.loaded.places, connections.vault))


def other_open(rows: Iterable[Rotation], name: str) -> str:
    """Why an own pair waits: the other one is among these open rotations. "" where it is not, or only its proof is."""
    org, identity = split(name)
    other = f"{org}/{OTHER[identity]}" if org else ""
    busy = any(row.app == other and row.state is not State.UNPROVEN for row in rows)
    return f"waits until the rotation of {other} has ended" if busy else ""


def must_be_ordinary(name: str, app: AppConfig) -> None:
    """Raises UsageError for an own pair: whoever turns its switch or ends its tokens would shut himself out."""
    if isinstance(app, OwnApp):
        raise UsageError(f"{name} is the rotator's own pair", fix=f"`rotator force {name}`, or do it in Setup")
