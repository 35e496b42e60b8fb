"""Signals, timeouts, crashes and two at once: what is begun goes on at the next call."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.acceptance.scene import Scene, until

PROVEN = {"refused": "proven", "tokens": "proven", "vault": "proven", "slot": "proven"}


def waits_for_the_pair(scene: Scene) -> None:
    """The new pair is not accepted for a while, so that a rotation stands at verify."""
    scene.configure(propagation="30s")
    scene.door("POST", "/facts", {"new_pair_propagation": "4s"})


def test_a_timeout_parks_and_the_next_call_resumes(scene: Scene) -> None:
    """`--timeout 1s` at verify: exit 75, state `running`; the next call resumes the same rotation."""
    waits_for_the_pair(scene)
    first = scene.json("rotate", "billing", "--timeout", "1s")
    assert (first.code, first.told["exit"], first.rotation["state"]) == (75, 75, "running")
    again = scene.json("rotate", "billing")
    assert (again.code, again.rotation["rotation_id"]) == (0, first.rotation["rotation_id"])
    assert again.rotation["state"] == "overlap"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_parks_and_says_how_to_resume(scene: Scene, number: signal.Signals) -> None:
    """SIGINT or SIGTERM while it waits: exit 75, how to resume, no lease left behind."""
    waits_for_the_pair(scene)
    with scene.started("rotate", "billing") as process:
        until(lambda: any(c["purpose"] == "token" and c["status"] >= 400 for c in scene.calls()))
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 75, err
    assert "run the same command again" in out
    again = scene.json("rotate", "billing")
    assert (again.code, again.rotation["state"]) == (0, "overlap")


def caught(scene: Scene) -> bool:
    """A request waits at the simulator."""
    return any(one["state"] == "paused" for one in scene.door("GET", "/paused"))


@pytest.mark.parametrize(
    ("purpose", "when"),
    [("stage", "after"), ("kv write", "before"), ("promote", "after"), ("delete slot", "before")],
)
def test_a_kill_loses_nothing(scene: Scene, purpose: str, when: str) -> None:
    """SIGKILL while a change is on its way: the next call settles what is unknown and ends `done`; readers never got a
    dead pair."""
    scene.door("POST", "/pause", {"match": {"purpose": purpose}, "when": when})
    with scene.started("rotate", "orders"):
        until(lambda: caught(scene))
    scene.door("DELETE", "/pause")
    again = scene.json("rotate", "orders")
    assert (again.code, again.rotation["state"], again.rotation["claims"]) == (0, "done", PROVEN), again.err
    assert scene.json("audit", "verify").told["ok"] is True
    scene.settle()


def test_two_at_once_make_one_rotation(scene: Scene) -> None:
    """Two processes rotate the same app at the same time: one rotation, and both end well. The lease is long, so that
    whoever comes second waits for the first."""
    scene.configure(lease="30s")
    scene.door("POST", "/latency", {"ms": 40})
    with scene.started("--json", "rotate", "orders") as one, scene.started("--json", "rotate", "orders") as other:
        answers = [process.communicate(timeout=60) for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), answers
    told = [json.loads(out) for out, _ in answers]
    assert len({row["rotation_id"] for document in told for row in document["rotations"]}) == 1
    assert [call["purpose"] for call in scene.calls()].count("stage") == 1
    scene.door("POST", "/latency", {"ms": 0})


def test_a_lease_that_stays_taken_is_told_after_one_lease(scene: Scene) -> None:
    """A worker that is at it (here: stopped in mid-call, and its lease alive by a long call) keeps others out: exit 75
    within a lease, and nothing is done twice."""
    scene.door("POST", "/pause", {"match": {"purpose": "stage"}})
    with scene.started("rotate", "orders"):
        until(lambda: caught(scene))
        done = scene.json("rotate", "orders", "--timeout", "1s")
    assert done.code == 75
    scene.door("DELETE", "/pause")
    assert [c["purpose"] for c in scene.calls()].count("stage") == 1


def test_a_second_signal_leaves_at_once(scene: Scene) -> None:
    """The step in hand hangs: the first SIGINT waits for it, the second does not; exit 75."""
    scene.fault("hang", {"purpose": "stage"})
    with scene.started("rotate", "orders") as process:
        until(lambda: "stage" in [c["purpose"] for c in scene.calls()])
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.7)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
    assert process.returncode == 75
