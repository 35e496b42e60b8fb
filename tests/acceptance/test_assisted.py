"""Classic connected apps: a person generates, hands over and applies; the program as processes, Setup simulated."""

from __future__ import annotations

import pytest

from tests.acceptance.operator import Operator, terminal
from tests.acceptance.scene import Scene, until

PROVEN = {"refused": "proven", "tokens": "proven", "vault": "proven", "slot": "not_asked"}


@pytest.fixture
def operator(scene: Scene) -> Operator:
    """A classic app, its operator, and a configuration that names it."""
    return Operator(scene)


def live(scene: Scene) -> str:
    """The key that readers of the live path get."""
    return str(scene.door("GET", "/truth")["acme"]["legacy"]["live"]["key"])


def test_a_rotation_by_three_commands(scene: Scene, operator: Operator) -> None:
    """`rotate` exits 3 at step `receive`; `receive` keeps the pair and says that Apply is allowed (75); after Apply
    `applied` publishes and proves: 0, the new pair live, the old one refused. The printed clicks lead there."""
    first = scene.json("rotate", "legacy")
    assert (first.code, first.rotation["state"], first.rotation["step"]) == (3, "held", "receive"), first.err
    page = operator.follow(first.rotation["fix"])
    new = page["staged_key"], page["staged_secret"]
    kept = operator.receive(new)
    assert (kept.code, kept.rotation["state"], kept.rotation["step"]) == (75, "waiting", "await_apply"), kept.out
    assert live(scene) == operator.old[0]
    operator.follow(kept.rotation["fix"])
    operator.click("Confirm", "Confirm")
    done = scene.json("applied", "legacy")
    assert (done.code, done.rotation["state"], done.rotation["claims"]) == (0, "done", PROVEN), done.out
    assert (live(scene), done.rotation["rotation_id"]) == (new[0], first.rotation["rotation_id"])
    waived = [e for e in scene.events("legacy") if "waived" in str(e["evidence"].get("availability"))]
    assert [e["step"] for e in waived] == ["await_apply"]
    said = [e for e in scene.events("legacy") if e["evidence"].get("word") == "receive"]
    assert [(e["step"], e["actor"] != "") for e in said] == [("receive", True)]
    assert scene.json("audit", "verify").told["ok"] is True


def test_at_a_terminal_one_command_asks_for_all(scene: Scene, operator: Operator) -> None:
    """`rotate` prompts: key and secret hidden, the secret twice, the last four characters confirmed; then waits for
    `applied`. Nothing secret stands on the screen, in the log or in the database."""
    with terminal(scene.command("rotate", "legacy")) as screen:
        screen.wait_for("Consumer Key")
        new = operator.generate()
        screen.type(new[0])
        screen.wait_for("Consumer Secret")
        screen.type(new[1])
        screen.wait_for("once more")
        screen.type(new[1])
        screen.wait_for(new[0][-4:])
        screen.type("y")
        screen.wait_for("Type `applied`")
        operator.apply()
        screen.type("applied")
        assert screen.end() == 0, screen.seen
    assert "rotated, and proven" in screen.seen
    assert [secret for secret in scene.secrets() if secret in screen.seen] == []
    assert new[0] not in screen.seen
    data = b"".join(file.read_bytes() for file in scene.folder.glob("rotator.db*"))
    assert [secret for secret in scene.secrets() if secret.encode() in data] == []


@pytest.mark.parametrize("when", ["typed", "allowed"])
def test_when_the_terminal_dies_others_go_on(scene: Scene, operator: Operator, when: str) -> None:
    """Killed in the middle of what is typed, or while Apply is awaited: the next command, or `run --once`, goes on with
    the same rotation."""
    with terminal(scene.command("rotate", "legacy")) as screen:
        screen.wait_for("Consumer Key")
        new = operator.generate()
        screen.type(new[0])
        screen.wait_for("Consumer Secret")
        if when == "allowed":
            screen.type(new[1])
            screen.wait_for("once more")
            screen.type(new[1])
            screen.wait_for("Is that")
            screen.type("y")
            screen.wait_for("Type `applied`")
        screen.kill()
        screen.end()
    if when != "allowed":
        assert operator.receive(new).code == 75
    operator.apply()
    until(lambda: scene.json("run", "--once").told is not None and live(scene) == new[0], 120)
    row = scene.json("status", "legacy").told["apps"][0]
    assert row["rotation"] is None or row["rotation"]["state"] in ("running", "waiting", "unproven")


def test_what_is_no_new_pair_of_this_app_is_refused(scene: Scene, operator: Operator) -> None:
    """The present pair, another app's, swapped fields: nothing is kept, nothing is repeated, the rotation still waits,
    and the right pair is taken afterwards."""
    scene.json("rotate", "legacy")
    new, billing = operator.generate(), scene.world["orgs"]["acme"]["apps"]["billing"]
    present = operator.receive(operator.old)
    assert (present.code, present.rotation["reason"]) == (3, "receive_refused"), present.out
    wrong = {"other_app": (billing["client_id"], billing["client_secret"]), "not_a_pair": (new[1], new[0])}
    for code, pair in wrong.items():
        done = operator.receive(pair)
        assert (done.code, done.told["errors"][0]["code"]) == (2, code), done.out
        assert [text for text in (*pair, *new) if text in done.out + done.err] == []
    assert live(scene) == operator.old[0]
    assert operator.receive(new).rotation["step"] == "await_apply"


def test_a_typing_error_is_mended_by_replace(scene: Scene, operator: Operator) -> None:
    """Applied is another pair than the one handed over: held `both_refused` while it goes on asking; `receive
    --replace` with the right one goes on, and it ends done."""
    scene.json("rotate", "legacy")
    new = operator.generate()
    operator.receive((new[0], new[1][:-1] + ("0" if new[1][-1] != "0" else "1")))
    operator.apply()
    held = scene.json("applied", "legacy")
    assert (held.code, held.rotation["reason"]) == (3, "both_refused"), held.out
    assert operator.receive(new).code == 2 or operator.receive(new, "--replace").code == 75
    assert scene.json("applied", "legacy").rotation["claims"] == PROVEN
    assert live(scene) == new[0]


def test_applied_before_it_was_handed_over(scene: Scene, operator: Operator) -> None:
    """Apply came first: the pair that Setup shows is taken, published at once; no witness could be had, so the claim
    about tokens stays open and says so."""
    new = operator.generate()
    operator.apply()
    first = scene.json("rotate", "legacy")
    assert "present pair is refused" in first.rotation["message"]
    operator.receive(new)
    done = scene.json("applied", "legacy")
    assert (done.code, done.rotation["state"], done.rotation["reason"]) == (3, "unproven", "no_canary"), done.out
    assert live(scene) == new[0]


def test_abandoned_before_apply(scene: Scene, operator: Operator) -> None:
    """The escrow is cleared, the old pair stays live and valid; afterwards it is too late."""
    scene.json("rotate", "legacy")
    operator.receive(operator.generate())
    done = scene.json("abandon", "legacy", "--now")
    assert (done.code, done.rotation["state"]) == (0, "abandoned"), done.out
    assert live(scene) == operator.old[0]


def test_after_apply_there_is_only_forward(scene: Scene, operator: Operator) -> None:
    """An abandon that finds the new pair accepted turns into going on."""
    scene.json("rotate", "legacy")
    new = operator.generate()
    operator.receive(new)
    operator.apply()
    done = scene.json("abandon", "legacy", "--now")
    assert done.rotation["state"] in ("done", "running"), done.out
    assert live(scene) == new[0]


def test_an_org_that_rotates_classic_apps_by_api_needs_nobody(scene: Scene, operator: Operator) -> None:
    """classic_has_staged_api = yes: the automatic list, from stage to close."""
    scene.door("POST", "/facts", {"classic_has_staged_api": "yes"})
    scene.config.write_text(scene.config.read_text().replace('app = "Legacy"', 'app = "Legacy"\noverlap = "0s"'))
    done = scene.json("rotate", "legacy")
    assert (done.code, done.rotation["state"], done.rotation["claims"]["slot"]) == (0, "done", "proven"), done.out


def test_a_force_with_the_run_as_user_frozen_first(scene: Scene, operator: Operator) -> None:
    """`block` freezes the run-as user, with its rows; the force waits for a person (exit 3); after Apply it says that
    nobody can be let in until `unblock`; then it ends with the old pair dead and Vault's old version destroyed."""
    ticket = ("--reason", "leaked", "--ticket", "INC-1")
    scene.json("rotate", "legacy", "--reason", "who does it run as?")
    frozen = scene.json("block", "legacy", *ticket)
    assert (frozen.code, frozen.told["frozen"]) == (0, operator.app["user_id"]), frozen.out
    first = scene.json("force", "legacy", "--yes", *ticket)
    assert (first.code, first.rotation["reason"], first.rotation["trigger"]) == (3, "receive", "force"), first.out
    new = operator.generate()
    operator.receive(new)
    operator.apply()
    barred = scene.json("applied", "legacy")
    assert (barred.code, barred.rotation["reason"]) == (3, "run_as_missing"), barred.out
    assert scene.json("unblock", "legacy", *ticket).code == 0
    done = scene.json("applied", "legacy")
    assert (done.rotation["state"], live(scene)) == ("unproven", new[0]), done.out  # no witness: nobody logged in
    assert done.rotation["claims"]["refused"] == "proven"
    rows = [(e["step"], e["phase"]) for e in scene.events("legacy") if e["step"] in ("block", "unblock")]
    assert rows == [("block", "intent"), ("block", "outcome"), ("unblock", "intent"), ("unblock", "outcome")]
