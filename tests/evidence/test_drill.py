"""A drill, and what `status` says of a leak since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rotator.domain.facts import Facts
from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Claim, State, Trigger
from rotator.wiring.leaking import if_leaked
from tests.acceptance.scene import Door, Json, Scene, until
from tests.control.served import Served

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
FORCED = Rotation("1", "orders", "acme", Consumer("00D", "0xI", "888"), Target("p", "k", "s", "u", "e"),
                  who=Who(reason="leak"), trigger=Trigger.FORCE, started_at=BEGAN,
                  refused_at=BEGAN + timedelta(seconds=4))  # fmt: skip


def figures(scene: Scene) -> list[Json]:
    """What drills of orders left in the trail."""
    return [one for one in scene.events("orders") if "drill" in one["evidence"]]


def test_a_drill_shows_how_long_a_leaked_secret_would_live(door: Door, tmp_path: Path) -> None:
    """Refused of an app that is no canary; of a canary a force, proven; then every app of the org has its figures,
    which were unknown before."""
    scene = Scene(door, tmp_path)
    scene.configure(orders="canary = true")
    no = scene.json("drill", "billing")
    assert (no.code, no.told["errors"][0]["code"]) == (2, "no_canary_app"), no.out
    (before, _) = scene.json("status").told["apps"]
    assert (before["if_leaked"]["refused_s"], before["if_leaked"]["sessions_dead"]) == (None, "unknown")
    done = scene.json("drill", "orders")
    assert (done.code, done.rotation["trigger"], done.rotation["state"]) == (0, "force", "done"), done.err
    (told,) = scene.json("status", "billing").told["apps"]
    seen = told["if_leaked"]
    assert (seen["seen_on"], seen["drill"], seen["sessions_dead"]) == ("orders", True, "yes")
    assert 0 <= seen["refused_s"] <= seen["proven_s"]
    assert "sessions provably dead: yes" in scene.run("status", "billing").out
    (row,) = figures(scene)
    shown = {name: seen[name] for name in ("refused_s", "proven_s", "sessions_dead")}
    assert (row["evidence"]["drill"], row["rotation_id"], row["outcome"]) == (
        shown, done.rotation["rotation_id"], "ok")  # fmt: skip
    (force,) = scene.json("report", "forces").told["rows"]
    assert force["drill"] is True


@pytest.mark.parametrize(("row", "dead"), [
    (replace(FORCED, claims={"tokens": Claim.PROVEN}), "yes"),
    (replace(FORCED, claims={"tokens": Claim.FAILED}), "no"),
    (replace(FORCED, claims={"tokens": Claim.UNKNOWN}, state=State.UNPROVEN, reason="canary_alive"), "no"),
    (replace(FORCED, claims={"tokens": Claim.UNKNOWN}, state=State.UNPROVEN, reason="sessions_listed"), "no"),
    (replace(FORCED, claims={"tokens": Claim.UNKNOWN}, state=State.UNPROVEN, reason="no_canary"), "unknown"),
])  # fmt: skip
def test_sessions_that_were_seen_alive_are_told_as_no(row: Rotation, dead: str) -> None:
    """Proven: yes. A token or a session that outlived the force: no. What could not be seen: unknown, never no or yes;
    the seconds until the refusal stand all the same, those until the proof do not."""
    told = if_leaked("billing", "acme", {"orders": row}, Facts())
    assert (told["sessions_dead"], told["refused_s"], told["proven_s"]) == (dead, 4.0, None)
    assert (told["seen_on"], told["drill"]) == ("orders", False)


@pytest.mark.parametrize(("facts", "expected"), [
    ({}, "unknown"), ({"tokens_die_with_pair": "yes"}, "yes"),
    ({"tokens_die_with_pair": "no", "tokens_listed_usage": "no", "tokens_listed_oauthtoken": "no",
      "tokens_listed_authsession": "no"}, "no"),
])  # fmt: skip
def test_without_a_drill_the_facts_of_the_org_say_what_a_force_can_prove(facts: dict[str, str], expected: str) -> None:
    """No app of the org was ever forced: nothing is told as seen, and the facts say what is to be expected."""
    told = if_leaked("billing", "acme", {"other": replace(FORCED, org="globex")}, Facts(facts))
    assert (told["sessions_dead"], told["seen_on"], told["expected"]) == ("unknown", None, expected)
    assert told["why"]


def test_the_same_is_told_over_the_socket(door: Door, tmp_path: Path) -> None:
    """A daemon does the drill and writes its figures down; `status` by the socket and without it say the same of a
    leak."""
    scene = Served(door, tmp_path)
    scene.configure(orders="canary = true", facts='tokens_die_with_pair = "yes"')
    with scene.running():
        done = scene.json("drill", "orders")
        assert (done.code, done.rotation["state"]) == (0, "done"), done.err
        until(lambda: len(figures(scene)) == 1)
        (served,) = scene.json("status", "billing").told["apps"]
    (alone,) = scene.json("status", "billing").told["apps"]
    assert served["if_leaked"] == alone["if_leaked"]
    assert (alone["if_leaked"]["seen_on"], alone["if_leaked"]["expected"]) == ("orders", "yes")
