"""The second person: a force that waits for one, without a daemon. tests/control has the same with one."""

from __future__ import annotations

import os

import pytest

from tests.acceptance.people import as_other
from tests.acceptance.scene import Done, Scene

ORDER = ("--reason", "key in a log", "--ticket", "INC-7")


@pytest.fixture
def strict(scene: Scene) -> Scene:
    """The configuration wants a second person."""
    scene.config.write_text(scene.config.read_text() + "\n[approval]\nsecond_person = true\n")
    return scene


def asked(scene: Scene, *more: str) -> tuple[Done, str]:
    """A force that is held; the id in its fix."""
    done = scene.json("force", "billing", *ORDER, *more)
    told = done.rotation
    assert (done.code, told["state"], told["reason"], told["rotation_id"]) == (3, "held", "approval", None), done.err
    return done, str(told["fix"]).split("`rotator approve ")[1].split("`")[0]


def steps(scene: Scene, step: str) -> list[tuple[str, str | None]]:
    return [(one["outcome"], one["approver"]) for one in scene.events() if one["step"] == step]


def test_a_force_waits_for_a_second_person_and_then_goes_on(strict: Scene) -> None:
    """Exit 3, nothing changed; approved by another, the same command goes through and names the approver; the
    same once more only tells what came of it."""
    before = strict.truth()["primary"]["key"]
    _, request = asked(strict)
    assert (strict.truth()["primary"]["key"], strict.truth()["slot"]) == (before, [])
    assert asked(strict)[1] == request
    (waits,) = strict.json("status").told["approvals"]
    assert (waits["request_id"], waits["apps"]) == (request, ["billing"])
    yes = as_other(strict, "approve", request)
    assert yes.code == 0, yes.err
    done = strict.json("force", "billing", *ORDER)
    assert (done.code, done.rotation["state"]) == (0, "done"), done.err
    rows = [e for e in strict.events() if e["rotation_id"] == done.rotation["rotation_id"] and e["trigger"]]
    assert {row["approver"] for row in rows} == {yes.told["requests"][0]["approver"]}
    assert strict.json("force", "billing", *ORDER).rotation["rotation_id"] == done.rotation["rotation_id"]
    assert [outcome for outcome, _ in steps(strict, "approve")] == ["held", "ok"]


def test_whoever_asked_cannot_approve(strict: Scene) -> None:
    """Exit 1, `approval_own`, a row; the force still waits."""
    _, request = asked(strict)
    no = strict.json("approve", request)
    assert (no.code, no.told["errors"][0]["code"]) == (1, "approval_own")
    assert asked(strict)[1] == request
    assert [outcome for outcome, _ in steps(strict, "approve")] == ["held", "refused"]


def test_two_login_names_of_one_uid_are_one_person(strict: Scene) -> None:
    """Whoever asked comes back under another name, with the same uid: refused, neither approving nor reviewing."""
    _, request = asked(strict)
    no = as_other(strict, "approve", request, uid=os.getuid())
    assert (no.code, no.told["errors"][0]["code"]) == (1, "approval_own"), no.err
    assert "by uid" in no.told["errors"][0]["message"]
    alone = strict.json("force", "billing", "--reason", "alone", "--ticket", "INC-8", "--break-glass").rotation
    reviewed = ("review", alone["rotation_id"], "--reason", "was right")
    no = as_other(strict, *reviewed, uid=os.getuid())
    assert (no.code, no.told["errors"][0]["code"]) == (1, "review_own"), no.err
    assert as_other(strict, *reviewed).code == 0


def test_another_order_needs_another_approval(strict: Scene) -> None:
    """Another ticket, another app, and others' tokens too: each is a request of its own."""
    _, request = asked(strict)
    as_other(strict, "approve", request)
    assert asked(strict, "--including-users")[1] != request
    other = strict.json("force", "billing", "--reason", "key in a log", "--ticket", "INC-8")
    assert (other.code, other.rotation["state"]) == (3, "held")


def test_what_is_approved_is_done_by_the_timer(strict: Scene) -> None:
    """`run --once` forces it, also over a rotation that is open; a second run does not force it again."""
    strict.config.write_text(strict.config.read_text().replace('app = "Order_Export"', 'app = "Order_Export"\n'
                                                               "enabled = false"))  # fmt: skip
    routine = strict.json("rotate", "billing").rotation
    assert routine["state"] == "overlap"
    _, request = asked(strict)
    as_other(strict, "approve", request)
    done = strict.json("run", "--once")
    assert (done.code, done.rotation["trigger"], done.rotation["parent_id"]) == (0, "force", routine["rotation_id"])
    assert [row for row in strict.json("run", "--once").told["rotations"] if row["trigger"] == "force"] == []


def test_one_person_alone_breaks_the_glass_and_another_reviews_it(strict: Scene) -> None:
    """No approval; every row is flagged; `status` lists it until another has reviewed it."""
    done = strict.json("force", "billing", *ORDER, "--break-glass")
    assert done.code == 0, done.err
    rotation_id = done.rotation["rotation_id"]
    assert all(e["break_glass"] for e in strict.events() if e["rotation_id"] == rotation_id and e["trigger"])
    assert [one["rotation_id"] for one in strict.json("status").told["reviews"]] == [rotation_id]
    no = strict.json("review", rotation_id)
    assert (no.code, no.told["errors"][0]["code"]) == (1, "review_own")
    assert as_other(strict, "review", rotation_id, "--reason", "was right").code == 0
    assert strict.json("status").told["reviews"] == []
    assert "to review" not in strict.run("status").out


def test_what_waits_is_said_to_people(strict: Scene) -> None:
    """In words: the command, `approve` without an id, and `status`, each with the id."""
    _, request = asked(strict)
    for words in (("force", "billing", *ORDER), ("approve",), ("status",)):
        assert request in strict.run(*words).out
