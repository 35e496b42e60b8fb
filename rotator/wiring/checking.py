"""`check`: every prerequisite of the configured apps, of their orgs, of the Vault, the database and this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from rotator.checks.finding import Finding
from rotator.checks.registry import APP, CLASSIC, HERE, ORG, VAULT, look, own
from rotator.checks.scene import ClassicScene, OrgScene, VaultScene
from rotator.config import OwnApp
from rotator.wiring.connections import Connections
from rotator.wiring.scenes import app_scene, here_scene, org_scene, own_scene, vault_scene

Json = dict[str, object]
MOST_ORGS = 16  # looked at side by side; within an org one call after the other


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


def check(connections: Connections, app: str = "", env: Mapping[str, str] | None = None) -> Iterator[Told]:
    """All checks, of one app where it is named; orgs side by side, each told whole as it is done, also one without
    apps. `env`: of this process. Raises UsageError for an unknown app."""
    names = [app] if app else list(connections.apps)
    orgs: dict[str, list[str]] = {} if app else {org: [] for org in connections.config.orgs}
    for name in names:
        orgs.setdefault(connections.app(name).org, []).append(name)
    here = [Told(id_, finding) for id_, finding in look(HERE, here_scene(connections, env or {}))]
    yield from here
    vault = vault_scene(connections)
    yield from (Told(id_, finding) for id_, finding in look(VAULT, vault))
    pinned = next(one.finding.ok is True for one in here if one.id == "DB-1")
    for org in orgs:
        connections.org(org, pinned=pinned)
    with ThreadPoolExecutor(min(MOST_ORGS, len(orgs) or 1), "check") as pool:
        asked = [pool.submit(_of_org, connections, vault, org, mine) for org, mine in orgs.items()]
        for done in as_completed(asked):
            yield from done.result()


def _of_org(connections: Connections, vault: VaultScene, org: str, apps: Sequence[str]) -> list[Told]:
    place = org_scene(connections, org)
    told = [Told(id_, finding, org=org) for id_, finding in look(ORG, place)]
    return told + [one for name in apps for one in _of_app(connections, place, vault, name)]


def _of_app(connections: Connections, place: OrgScene, vault: VaultScene, name: str) -> Iterator[Told]:
    told = connections.apps[name]
    if isinstance(told, OwnApp):
        found = look(own(), own_scene(connections, place, vault, name, told))
    elif told.kind == "external_client_app":
        found = look(APP, app_scene(connections, place, vault, name))
    else:
        found = look(CLASSIC, ClassicScene(place, told.app))
    return (Told(id_, finding, app=name, org=place.name) for id_, finding in found)


def exit_of(told: Sequence[Told]) -> int:
    """1 where something is false, 3 where nothing is and something is unknown, else 0; warnings do not count."""
    states = {one.finding.ok for one in told if not one.finding.warn}
    return 1 if False in states else 3 if None in states else 0
