"""`check` without a process: the same connections, the same scenes and the same registry as the command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from rotator.checks.finding import Finding
from rotator.checks.registry import APP, CLASSIC, HERE, ORG, VAULT, look
from rotator.checks.scene import AppScene, ClassicScene, OrgScene
from rotator.config import load
from rotator.process import Stop, SystemClock
from rotator.wiring import scenes
from rotator.wiring.checking import Told, check
from rotator.wiring.connections import Connections
from tests.acceptance.scene import Scene

NAME = "billing"


@contextmanager
def opened(scene: Scene) -> Iterator[Connections]:
    """The connections of the scene's configuration."""
    connections = Connections(load(scene.config, {}), SystemClock(Stop()), host="test-host", version="0")
    try:
        yield connections
    finally:
        connections.close()


def looked(scene: Scene, app: str = NAME, env: Mapping[str, str] | None = None) -> dict[str, Told]:
    """What each row says, by id."""
    with opened(scene) as connections:
        return {one.id: one for one in check(connections, app, env)}


def app_scene_of(connections: Connections, place: OrgScene | None = None) -> AppScene:
    """Billing, as the checks see it."""
    place = place or scenes.org_scene(connections, "acme")
    return scenes.app_scene(connections, place, scenes.vault_scene(connections), NAME)


def finding_of(scene: Scene, row: str, *, env: Mapping[str, str] | None = None, seen: Mapping[str, str] | None = None,
               age: timedelta = timedelta(0), connections: Connections | None = None) -> Finding:
    """What one row finds. `seen`: facts in the org's profile; `age`: how old they are by then."""
    if connections is None:
        with opened(scene) as made:
            return finding_of(scene, row, env=env, seen=seen, age=age, connections=made)
    here = dict(look([one for one in HERE if one.id == row], scenes.here_scene(connections, env or {})))
    return here[row] if here else _outside(connections, row, seen or {}, age)


def _outside(connections: Connections, row: str, seen: Mapping[str, str], age: timedelta) -> Finding:
    place = replace(scenes.org_scene(connections, "acme"), now=lambda: scenes.now() + age)
    if seen:
        assert place.org.user_id
        connections.pins.learn(place.org.org_id, seen, "test")
    found = dict(
        [*look([one for one in VAULT if one.id == row], scenes.vault_scene(connections)),
         *look([one for one in ORG if one.id == row], place),
         *look([one for one in APP if one.id == row], app_scene_of(connections, place)),
         *look([one for one in CLASSIC if one.id == row], ClassicScene(place, "Billing_Sync"))]
    )  # fmt: skip
    return found[row]


def level(finding: Finding) -> str:
    """`pass`, `warn`, `fail` or `unknown`."""
    return "pass" if finding.ok else "unknown" if finding.ok is None else "warn" if finding.warn else "fail"


def levels(told: Mapping[str, Told]) -> dict[str, str]:
    """The level of each row."""
    return {id_: level(one.finding) for id_, one in told.items()}
