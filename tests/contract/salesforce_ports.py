"""The implementations of ports.Salesforce that the contract suite runs over.

A world gives the port, what it is to find there, and a foreign hand in the same org. To add an implementation, put
its maker into WORLDS.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from rotator import ports
from rotator.adapters.http import Http
from rotator.adapters.salesforce import AdminCredentials, ClientCredentials, JwtBearer, SalesforceOrg
from rotator.adapters.tls import tls_context
from rotator.domain.pair import Consumer
from rotator.domain.secret import Secret
from rotator.domain.session import Lever, Listing
from rotator.simulator import Running, start
from rotator.simulator.switches import SHAPES


@dataclass(frozen=True)
class World:
    """One implementation, ready: an app with one consumer, whose pair is accepted and whose slot is empty."""

    port: ports.Salesforce
    app: str
    app_id: str
    org_id: str
    consumer_id: str
    user_id: str  # the app's run-as user
    stranger: Callable[[str], None]  # one foreign act: "stage", "expire", ...
    door: Door | None = None  # the simulator's own, where it is one


def everything(port: ports.Salesforce, consumer: Consumer, user_id: str) -> Listing:
    """What all levers show, as one listing."""
    shown = [port.grants(consumer, user_id, lever) for lever in Lever]
    return Listing(
        grants=tuple(grant for listing in shown for grant in listing.grants),
        complete=all(listing.complete for listing in shown),
        blind=frozenset(lever for listing in shown for lever in listing.blind),
        notes=tuple(note for listing in shown for note in listing.notes),
    )


class Door:
    """The admin door of a simulator."""

    def __init__(self, sim: Running) -> None:
        self.sim = sim
        self._client = httpx.Client(base_url=sim.admin_url, trust_env=False)

    def get(self, path: str, **params: str) -> Any:
        return self._client.get(path, params=params).raise_for_status().json()

    def post(self, path: str, **body: object) -> Any:
        return self._client.post(path, json=body).raise_for_status().json()

    def patch(self, path: str, **body: object) -> Any:
        return self._client.patch(path, json=body).raise_for_status().json()

    def delete(self, path: str) -> Any:
        return self._client.delete(path).raise_for_status().json()

    def fault(self, kind: str, method: str, path: str, args: dict[str, object]) -> None:
        """Plays a fault at the next call of this method and path (a regular expression)."""
        self.post("/faults", kind=kind, match={"site": "org", "method": method, "path": path}, nth=1, args=args)

    def close(self) -> None:
        self._client.close()


@cache
def _shared() -> Door:
    """One simulator for the whole run, reset for each world: starting and stopping one takes a fifth of a second."""
    sim = start(seed=1)
    door = Door(sim)
    atexit.register(sim.stop)
    atexit.register(door.close)
    return door


FRESH: dict[str, Any] = {"seed": 1, "difficulty": "difficult", "facts": {}, "shapes": {}, "apps": 3}


@contextmanager
def simulator(**options: Any) -> Iterator[World]:
    """The real adapter against a simulated org, made anew."""
    door = _shared()
    org = door.post("/reset", **{**FRESH, **options})["orgs"]["acme"]
    billing = org["apps"]["billing"]
    with Http(door.sim.org_url, tls=tls_context(), deadline=5) as http:
        yield World(
            port=SalesforceOrg(http, credentials=lambda: own_login(org), org_id=org["org_id"]),
            app=billing["developer_name"],
            app_id=billing["app_id"],
            org_id=org["org_id"],
            consumer_id=billing["consumer_id"],
            user_id=billing["user_id"],
            stranger=lambda act: cast("None", door.post("/strangers", act=act, app="billing")),
            door=door,
        )


@cache
def _signing_key() -> tuple[str, str]:
    """A private key and its public key, PEM: one for the whole run, they take a while to make."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@contextmanager
def by_jwt_bearer() -> Iterator[World]:
    """The same, where the rotator's own app logs in by a signed assertion instead of a secret."""
    with simulator(seed=17) as world:
        door, (private, public) = cast("Door", world.door), _signing_key()
        door.patch("/orgs/acme/apps/rotator", certificate=public)
        admin = door.get("/world")["orgs"]["acme"]["admin"]
        audience = "https://login.salesforce.com"
        login = JwtBearer(admin["client_id"], admin["username"], Secret(private), audience)
        with Http(door.sim.org_url, tls=tls_context(), deadline=5) as http:
            yield replace(world, port=SalesforceOrg(http, credentials=lambda: login, org_id=world.org_id))


def own_login(org: dict[str, Any]) -> AdminCredentials:
    """The rotator's own pair in a simulated org."""
    return ClientCredentials(org["admin"]["client_id"], Secret(org["admin"]["client_secret"]))


Maker = Callable[[], AbstractContextManager[World]]


def _seeded(seed: int) -> Maker:
    return lambda: simulator(seed=seed)


WORLDS: dict[str, Maker] = {
    "simulator-plain": lambda: simulator(difficulty="plain"),
    **{f"simulator-{seed}": _seeded(seed) for seed in (11, 12, 13)},
    "simulator-jwt": by_jwt_bearer,
}

# Each way an org may write its answers, one at a time. Left out are only those that break what a test stands on:
# a slot that takes two pairs, and a userinfo that refuses living tokens.
BREAKING = {("slot_taken", "append"), ("slot_taken", "replace"), ("userinfo", "refused")}
EVERY_SHAPE = [
    (name, value)
    for name, shape in SHAPES.items()
    for value in (*shape.drawn, *shape.asked)
    if (name, value) not in BREAKING
]
