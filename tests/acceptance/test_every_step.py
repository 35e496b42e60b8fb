"""Every step that the contract names stands in some trail of our tests, or is listed here as still to come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from rotator.domain.errors import RotatorError
from rotator.domain.words import STEP_NAMES
from tests.acceptance.scene import Scene
from tests.crash.machine import Rotations
from tests.model.plans import WORLDS
from tests.model.rules import Violation
from tests.model.scenes import do, finish
from tests.model.strangers import FOREIGN
from tests.unit.sql.support import ROOT

# Steps whose commands come with later issues: `receive`, `applied`, `adopt`, `calibrate`, `approve`, `review`.
LATER = {"receive", "await_apply", "adopt", "calibrate", "approve", "review"}
# Steps that other tests produce on real servers or with a daemon; named so that they can be looked up.
ELSEWHERE = {
    "drift": "tests/unit/sql/test_sweeps.py",
    "lease": "tests/unit/sql/test_trail.py",
    "release": "tests/unit/sql/test_faults.py",
    "fence": "tests/crash/test_kill.py",
    "prune": "tests/audit/test_retention.py",
    "legal_hold": "tests/audit/test_retention.py",
}
COMMANDS = (
    ("rotate", "orders"), ("pause", "orders"), ("resume", "orders"), ("release", "orders"),
    ("force", "orders", "--reason", "leak", "--ticket", "INC-1", "--yes"), ("audit", "anchor"), ("history",),
)  # fmt: skip


def story(world: str, trouble: tuple[int, object] | None,
          then: Callable[[Rotations], None] = lambda m: None) -> set[str]:  # fmt: skip
    """One rotation of the model to its end, with one trouble in it; the steps of its trail."""
    m = Rotations()
    m.begin(world, 5, strangers=True)
    with suppress(RotatorError, Violation, AssertionError):  # what is found wrong is other tests' affair
        m.process([trouble] if trouble else [])
        then(m)
        m.w.advance(max(timedelta(0), m.w.lease_until - m.w.now))
        finish(m.w)
    return {step for _, step, _ in m.w.trail}


def forced(m: Rotations) -> None:
    """A compromise; the app is blocked first."""
    do(m.w, "force block-first")


def of_the_model() -> set[str]:
    """The steps of the saga."""
    found = set[str]().union(*(story(world, (12, "abandon")) | story(world, None) for world in WORLDS))
    found |= story("default", None, forced) | story("default", (12, "lost"), forced)
    for call in range(3, 45, 4):
        for fault in ("lost", "applied", "crash-after", ("late", 4)):
            found |= story("default", (call, fault))
    for act in FOREIGN:
        found |= set[str]().union(*(story("default", (call, act)) for call in (5, 12, 20, 30)))
    return found


def test_every_step_of_the_contract_stands_in_some_trail(scene: Scene) -> None:
    """By the model, by commands, by a named test; and what is listed as later is not produced yet."""
    for words in COMMANDS:
        scene.run(*words)
    told = {row["step"] for row in scene.json("history").told["events"]}
    seen = told | of_the_model()
    assert set(STEP_NAMES) - seen - ELSEWHERE.keys() == LATER
    for step, place in ELSEWHERE.items():
        assert step in (ROOT / place).read_text(), step
