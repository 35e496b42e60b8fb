"""`check`: every prerequisite of the configured apps, of their orgs, of the Vault and of the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rotator.adapters.sql import schema
from rotator.adapters.vault import VaultClient, VaultKv
from rotator.checks.finding import Finding, failed, passed, unseen
from rotator.checks.registry import APP, ORG, VAULT, look
from rotator.checks.scene import AppScene, OrgScene, VaultScene
from rotator.config import AppConfig
from rotator.domain.errors import ConfigError, InvariantBroken, RotatorError
from rotator.wiring.connections import Connections
from rotator.wiring.settings import target_of

Json = dict[str, object]


class WholeVault(VaultKv):
    """The port, and what the client knows beside it."""

    def __init__(self, client: VaultClient) -> None:
        super().__init__(client)
        self._whole = client

    def capabilities(self, paths: Sequence[str]) -> Mapping[str, frozenset[str]]:
        return self._whole.capabilities(paths)

    def token_life(self) -> float | None:
        return self._whole.token_life()


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with what it is about."""

    id: str
    finding: Finding
    app: str | None = None
    org: str | None = None

    def as_json(self) -> Json:
        level: Json = {"level": "warn"} if self.finding.warn else {}
        return {"app": self.app, "org": self.org, "id": self.id, "ok": self.finding.ok, "found": self.finding.found,
                "fix": self.finding.fix or None, **level}  # fmt: skip


def check(connections: Connections, app: str = "") -> Iterator[Told]:
    """All checks, of one app where it is named. Raises UsageError for an unknown app."""
    names = [app] if app else list(connections.config.apps)
    apps = {name: connections.app(name) for name in names}
    database = db_1(connections)
    yield Told("DB-1", database)
    scene = vault_scene(connections)
    for id_, finding in look(VAULT, scene):
        yield Told(id_, finding)
    for org in dict.fromkeys(told.org for told in apps.values()):
        connections.org(org, pinned=database.ok is True)
        yield from (Told(id_, finding, org=org) for id_, finding in look(ORG, org_scene(connections, org)))
    for name, told in apps.items():
        if told.kind == "external_client_app":
            at = app_scene(connections, scene, name, told)
            yield from (Told(id_, finding, app=name, org=told.org) for id_, finding in look(APP, at))


def db_1(connections: Connections) -> Finding:
    """The tables are those of this version (an empty database gets them now), and the trail is protected."""
    try:
        schema.check(connections.database)
    except (ConfigError, InvariantBroken) as error:
        return failed(error.message, error.fix)
    except RotatorError as error:
        return unseen(error.message, error.fix)
    return passed(f"schema {schema.HEAD}, append-only")


def vault_scene(connections: Connections) -> VaultScene:
    """The Vault, as the checks see it."""
    told, options = connections.config.vault, connections.vault.options
    return VaultScene(WholeVault(connections.vault), told.mount, told.escrow_prefix, options.needs_seconds)


def org_scene(connections: Connections, name: str) -> OrgScene:
    """An org, as the checks see it."""
    told = connections.config.orgs[name]
    sessions = any(a.sessions == "revoke" for a in connections.config.apps.values() if a.org == name)
    return OrgScene(connections.org(name), told.host, told.api_version, told.insecure, sessions)


def app_scene(connections: Connections, vault: VaultScene, name: str, app: AppConfig) -> AppScene:
    """An app, as the checks see it."""
    target = target_of(name, app, connections.config.orgs[app.org].host)
    return AppScene(connections.org(app.org), vault, app.app, app.consumer, target, app.probe)


def exit_of(told: Sequence[Told]) -> int:
    """1 where something is false, 3 where nothing is and something is unknown, else 0; warnings do not count."""
    states = {one.finding.ok for one in told if not one.finding.warn}
    return 1 if False in states else 3 if None in states else 0
