"""What the checks look at, made of the connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from rotator.adapters.sql import schema
from rotator.adapters.sql.calibrations import last_release
from rotator.adapters.sql.orgs import FactSeen
from rotator.adapters.sql.verify import VerifyResult
from rotator.adapters.vault import VaultClient, VaultKv
from rotator.checks.scene import AppScene, HereScene, OrgScene, OwnScene, SweptScene, VaultScene
from rotator.config import AppConfig, OwnApp, find_file
from rotator.config.org import ClientCredentials, JwtBearer
from rotator.config.own import OTHER
from rotator.domain.anchor import by_seq
from rotator.domain.pair import Consumer, Target
from rotator.wiring.anchoring import known_anchors, last_anchor, public_key
from rotator.wiring.connections import Connections
from rotator.wiring.outside import Budget
from rotator.wiring.own import find_own, key_now
from rotator.wiring.settings import target_of

# Options that name a file with a secret; certificates and their authorities are none.
SECRET_FILES = ("secret_file", "key_file", "token_file", "tokens_file", "password_file", "secret_id_file", "jwt_file",
                "signing_key_file", "routing_key_file", "url_file")  # fmt: skip
_KUBELET = "/var/run/secrets/kubernetes.io/"  # the kubelet sets the mode, and shows it to the pod alone


_OfApp = tuple[OrgScene, VaultScene, str, str, str, Target, str, timedelta, timedelta, Callable[[Consumer], None]]


class WholeVault(VaultKv):
    """The port, and what the client knows beside it."""

    def __init__(self, client: VaultClient) -> None:
        super().__init__(client)
        self._whole = client

    def capabilities(self, paths: Sequence[str]) -> Mapping[str, frozenset[str]]:
        return self._whole.capabilities(paths)

    def token_life(self) -> float | None:
        return self._whole.token_life()


def now() -> datetime:
    """This machine's clock, which is what ORG-4 compares."""
    return datetime.now(UTC)


# --- this machine


def here_scene(connections: Connections, env: Mapping[str, str]) -> HereScene:
    """This machine and its database."""
    told, places = connections.config, connections.loaded.places
    files = [find_file(name, places) for name in _secret_files(told.model_dump()) if not name.startswith(_KUBELET)]
    return HereScene(partial(_schema, connections), partial(_verify, connections), partial(_anchored, connections),
                     bool(told.audit.anchors), connections.now, env, files)  # fmt: skip


def _schema(connections: Connections) -> str:
    schema.check(connections.database)
    return schema.HEAD


def _verify(connections: Connections) -> VerifyResult:
    anchors = known_anchors(connections, (), public_key(connections, None))
    return connections.trail.verify_chain(None, by_seq(anchors))


def _anchored(connections: Connections) -> datetime | None:
    last = last_anchor(connections)
    return datetime.fromisoformat(last.at) if last else connections.trail.last("anchor")


def _secret_files(told: object, name: str = "") -> Iterator[str]:
    if isinstance(told, Mapping):
        for key, value in told.items():
            yield from _secret_files(value, str(key))
    elif isinstance(told, list | tuple):
        for value in told:
            yield from _secret_files(value, name)
    elif isinstance(told, str) and told and name in SECRET_FILES:
        yield told


# --- the outside


def vault_scene(connections: Connections) -> VaultScene:
    """The Vault."""
    told, options = connections.config.vault, connections.vault.options
    return VaultScene(WholeVault(connections.vault), told.mount, told.escrow_prefix, options.needs_seconds)


def org_scene(connections: Connections, name: str) -> OrgScene:
    """An org."""
    told, org = connections.config.orgs[name], connections.org(name)
    apps = [app for app in connections.config.apps.values() if app.org == name]

    def profile() -> Sequence[FactSeen]:
        _ = org.user_id  # logs in: only then the org's id is known
        return connections.pins.seen(org.org_id)

    return OrgScene(
        name, org, told.host, told.api_version, told.insecure,
        sessions=any(app.sessions == "revoke" for app in apps), now=now,
        own_keys=partial(own_keys, connections, name), own_since=partial(_own_since, connections, told.admin),
        own_max_age=min((app.max_age for app in apps), default=timedelta(days=90)),
        stated=told.stated_facts(), profile=profile, release=partial(last_release, connections.database, name),
    )  # fmt: skip


def own_keys(connections: Connections, name: str) -> frozenset[str]:
    """The keys with which the rotator itself logs in at this org."""
    return frozenset(key_now(connections, name, identity) for identity in connections.config.orgs[name].logins)


def _own_since(connections: Connections, login: ClientCredentials | JwtBearer) -> datetime | None:
    """When Vault got the pair, or when its file was written."""
    if isinstance(login, ClientCredentials) and login.vault_path is not None:
        return connections.vault.written_at(login.vault_path)
    file = login.key_file if isinstance(login, JwtBearer) else login.secret_file
    with suppress(OSError):
        return _written(find_file(file, connections.loaded.places))
    return None


def _written(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def app_scene(connections: Connections, place: OrgScene, vault: VaultScene, name: str) -> AppScene:
    """An app. A login with its pair counts against the login budget of its run-as user."""
    return AppScene(*_of_app(connections, place, vault, name, connections.apps[name]))


def swept_scene(connections: Connections, place: OrgScene, name: str, consumer: Consumer) -> SweptScene:
    """An app, as the sweep looks at it."""
    told = _of_app(connections, place, vault_scene(connections), name, connections.apps[name])
    return SweptScene(*told, known=consumer)


def own_scene(connections: Connections, place: OrgScene, vault: VaultScene, name: str, app: OwnApp) -> OwnScene:
    """One of the rotator's own pairs, as the identity sees it that rotates it."""
    other = OTHER[app.identity]
    seen = replace(place, org=connections.org(app.org, by=other))
    seek = partial(find_own, connections, name, app)
    return OwnScene(*_of_app(connections, seen, vault, name, app), rotates=other, seek=seek)


def _of_app(connections: Connections, place: OrgScene, vault: VaultScene, name: str, app: AppConfig) -> _OfApp:
    budget = Budget(connections.outside, app.org, connections.config.limits.logins_per_hour)
    return (place, vault, name, app.app, app.consumer, target_of(name, app, place.host), app.probe, app.overlap,
            app.schedule.shortest_interval, partial(budget.ask, forced=False))  # fmt: skip
