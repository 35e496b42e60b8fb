"""`rotator rotate` against a difficult org: what it does, what it tells, how it exits."""

from __future__ import annotations

import os
import pwd

import pytest

from tests.acceptance.scene import Door, Scene, until

MEMBERS = {
    "rotation_id", "parent_id", "app", "org", "trigger", "state", "step", "reason", "fix", "old_key_fp", "new_key_fp",
    "vault_path", "vault_version", "started_at", "ended_at", "overlap_until", "next_at", "claims",
}  # fmt: skip
PROVEN = {"refused": "proven", "tokens": "proven", "vault": "proven", "slot": "proven"}


def test_rotate_returns_when_the_new_pair_is_live(scene: Scene) -> None:
    """With an overlap: exit 0 in state `overlap`; Vault serves the staged pair, and the old one is still primary or
    accepted. The document has every member of the contract."""
    before = scene.truth()["primary"]["fp"]
    done = scene.json("rotate", "billing", "--reason", "a test")
    row = done.rotation
    assert (done.code, done.told["ok"], done.told["exit"], row["state"]) == (0, True, 0, "overlap")
    assert row.keys() >= MEMBERS
    assert (row["trigger"], row["old_key_fp"], row["vault_version"]) == ("manual", before, 2)
    assert scene.door("GET", "/truth")["acme"]["billing"]["live"]["fp"] == row["new_key_fp"] != before
    assert row["overlap_until"].endswith("Z")
    scene.settle()


def test_rotate_in_overlap_reports_and_changes_nothing(scene: Scene) -> None:
    """A second call gives the same rotation, exit 0, and sends no request to the org or to Vault."""
    first = scene.json("rotate", "billing").rotation
    rows, calls = len(scene.events()), len(scene.calls())
    again = scene.json("rotate", "billing")
    assert (again.code, again.rotation) == (0, first)
    assert len(scene.calls()) == calls
    assert len(scene.events()) == rows


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rotate_until_done_goes_to_the_proof(door: Door, scene: Scene, seed: int) -> None:
    """In whatever shape the org answers: done, every claim proven, the old pair dead, the slot and the escrow empty."""
    scene = Scene(door, scene.folder, seed)
    old = scene.truth("orders")["primary"]["fp"]
    done = scene.json("rotate", "orders")
    assert (done.code, done.rotation["state"], done.rotation["claims"]) == (0, "done", PROVEN), done.err
    truth = scene.truth("orders")
    assert (truth["primary"]["fp"], truth["slot"]) == (done.rotation["new_key_fp"], [])
    assert [(p["accepted"], p["tokens"]) for p in truth["gone"] if p["fp"] == old] == [(False, 0)]
    scene.settle()


def test_until_done_waits_out_the_overlap(scene: Scene) -> None:
    """`--until done` with an overlap of 2 s: the old pair is not retired before that, the end is `done`."""
    scene.configure(overlap="2s")
    done = scene.json("rotate", "billing", "--until", "done")
    assert (done.code, done.rotation["state"], done.rotation["claims"]) == (0, "done", PROVEN), done.err
    events = scene.events()
    published = next(e["ts"] for e in events if (e["step"], e["phase"]) == ("publish", "outcome"))
    retired = next(e["ts"] for e in events if (e["step"], e["phase"]) == ("retire", "intent"))
    assert seconds(retired) - seconds(published) >= 2.0
    scene.settle()


def seconds(ts: str) -> float:
    """Seconds since midnight of a time in the trail."""
    hours, minutes, rest = ts[11:].removesuffix("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_an_overlap_that_is_over_is_carried_on(scene: Scene) -> None:
    """`rotate` once the overlap has ended: the same rotation goes to `done`, no second one begins."""
    scene.configure(overlap="1s")
    first = scene.json("rotate", "billing").rotation
    until(lambda: scene.json("rotate", "billing").rotation["state"] == "done", 30)
    rows = {event["rotation_id"] for event in scene.events()}
    assert rows == {first["rotation_id"]}


def test_a_dry_run_leaves_everything_as_it_was(scene: Scene) -> None:
    """Staged, verified, discarded: `abandoned`, reason `dry_run`, exit 0; primary, slot and live path as before."""
    before = scene.truth()
    done = scene.json("rotate", "billing", "--dry-run")
    row = done.rotation
    assert (done.code, row["state"], row["reason"]) == (0, "abandoned", "dry_run")
    after = scene.truth()
    assert (after["primary"]["fp"], after["primary"]["accepted"], after["slot"]) == (before["primary"]["fp"], True, [])
    steps = [event["step"] for event in scene.events()]
    assert "verify" in steps
    assert "publish" not in steps


def test_several_apps_are_driven_side_by_side(scene: Scene) -> None:
    """Two apps, one of them named twice: each rotates once, and both stand in one document."""
    done = scene.json("rotate", "orders", "billing", "orders")
    assert done.code == 0, done.err
    assert {row["app"]: row["state"] for row in done.told["rotations"]} == {"orders": "done", "billing": "overlap"}


def test_an_unknown_app_is_refused_before_anything_is_done(scene: Scene) -> None:
    """Exit 2, the nearest name, and not one request; the good name beside it is not rotated either."""
    done = scene.json("rotate", "billing", "ordres")
    assert (done.code, done.told["ok"], done.told["exit"]) == (2, False, 2)
    (error,) = done.told["errors"]
    assert error.keys() >= {"code", "where", "message", "fix"}
    assert "did you mean orders?" in error["message"]
    assert scene.calls() == []


def test_no_wait_without_a_daemon_is_a_usage_error(scene: Scene) -> None:
    """Exit 2, with what to do instead."""
    done = scene.run("rotate", "billing", "--no-wait")
    assert (done.code, "daemon" in done.err, "fix:" in done.err) == (2, True, True)


def test_a_pipe_gets_plain_lines(scene: Scene) -> None:
    """Without a terminal: one line per step, no control characters, the result last."""
    done = scene.run("rotate", "orders")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert "orders: stage ok" in lines
    assert "orders: rotated, and proven" in lines
    assert "\x1b" not in done.out + done.err


def test_json_keeps_standard_output_for_the_document(scene: Scene) -> None:
    """With `--json` after the command: one document on standard output, the progress on standard error."""
    done = scene.run("rotate", "orders", "--json")
    assert done.out.count("\n") == 1
    assert done.rotation["state"] == "done"
    assert "orders: stage ok" in done.err


def test_the_trail_names_who_asked_and_why(scene: Scene) -> None:
    """Every row of the rotation carries actor, origin and reason; every change outside has an intent before it and an
    outcome after it; the chain is whole."""
    scene.json("rotate", "orders", "--reason", "quarterly")
    events = scene.events("orders")
    assert {(e["reason"], e["origin"]) for e in events} == {("quarterly", "cli")}
    assert len({e["actor"] for e in events}) == 1
    opened = [e["step"] for e in events if e["phase"] == "intent"]
    closed = [e["step"] for e in events if e["phase"] == "outcome"]
    assert opened == closed
    assert {"stage", "escrow", "canary", "publish", "promote", "retire", "revoke", "close"} <= set(opened)
    assert scene.json("audit", "verify").told["ok"] is True


def test_the_actor_is_the_one_behind_sudo(scene: Scene) -> None:
    """Root that came by sudo acts under the name of the person; anybody else is who they are."""
    done = scene.run("--json", "rotate", "billing", "--dry-run", env={"SUDO_USER": "ada"})
    assert done.code == 0, done.err
    expected = "ada" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    assert {event["actor"] for event in scene.events()} == {expected}
