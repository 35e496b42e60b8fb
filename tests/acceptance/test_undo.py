"""`rotator abandon` and `rotator release`."""

from __future__ import annotations

from tests.acceptance.scene import Scene


def test_abandon_before_publish_puts_everything_back(scene: Scene) -> None:
    """A rotation that stands before its pivot: exit 0, `abandoned`, slot and escrow empty, live path never written."""
    before = scene.truth()["primary"]["fp"]
    scene.configure(propagation="30s")
    scene.door("POST", "/facts", {"new_pair_propagation": "60s"})
    assert scene.json("rotate", "billing", "--timeout", "1s").code == 75
    assert scene.truth()["slot"] != []
    done = scene.json("abandon", "billing", "--reason", "changed our mind")
    assert (done.code, done.told["ok"], done.rotation["state"]) == (0, True, "abandoned")
    assert (scene.truth()["primary"]["fp"], scene.truth()["slot"]) == (before, [])
    assert [e for e in scene.events() if e["step"] == "publish"] == []
    assert {e["reason"] for e in scene.events() if e["step"] == "abandon" and e["phase"] == "decision"} >= {
        "changed our mind"}  # fmt: skip
    scene.settle()


def test_abandon_in_overlap_before_promote_follows_back(scene: Scene) -> None:
    """Published, not yet promoted (an org where a rotated pair may be dead): `abandon --now` writes the old pair back
    and discards the new one."""
    before = scene.truth()["primary"]["fp"]
    scene.json("rotate", "billing")
    assert scene.truth()["slot"] != []
    done = scene.json("abandon", "billing", "--now")
    assert (done.code, done.rotation["state"]) == (0, "abandoned")
    assert scene.door("GET", "/truth")["acme"]["billing"]["live"]["fp"] == before
    assert scene.truth()["slot"] == []


def test_abandon_after_promote_is_refused_with_the_reason(scene: Scene) -> None:
    """Where a rotated pair is accepted, promote comes before the overlap: then abandon is too late, exit 1, and the
    refusal stands in the trail."""
    scene.configure(facts='rotated_pair_accepted = "yes"')
    scene.json("rotate", "billing")
    done = scene.json("abandon", "billing")
    assert (done.code, done.told["errors"][0]["code"]) == (1, "too_late")
    (refused,) = [e for e in scene.events() if e["step"] == "refused_command"]
    assert (refused["outcome"], refused["phase"]) == ("refused", "decision")
    assert scene.json("rotate", "billing").rotation["state"] == "overlap"


def test_abandon_and_release_need_something_to_work_on(scene: Scene) -> None:
    """Nothing open: exit 1 with a fix. A name that nobody knows: exit 2. Open, but not held: release exits 1."""
    assert scene.json("abandon", "billing").code == 1
    assert scene.json("release", "bilin").code == 2
    scene.json("rotate", "billing")
    done = scene.json("release", "billing")
    assert (done.code, done.told["errors"][0]["code"]) == (1, "not_held")


def held_by_a_stranger(scene: Scene) -> str:
    """A foreign pair stands in the slot; gives its fingerprint."""
    scene.stranger("stage")
    done = scene.json("rotate", "billing")
    assert (done.code, done.rotation["state"]) == (3, "held"), done.err
    assert "release" in done.rotation["fix"]
    return str(scene.truth()["slot"][0]["fp"])


def test_a_foreign_pair_is_named_before_it_is_discarded(scene: Scene) -> None:
    """Held with exit 3. A wrong fingerprint: exit 2, nothing changed. The right one: the entry is deleted, and the
    rotation goes on to its overlap, exit 0."""
    foreign = held_by_a_stranger(scene)
    wrong = scene.json("release", "billing", "--discard-foreign", "0" * 16)
    assert wrong.code == 2
    assert foreign in wrong.told["errors"][0]["message"]
    assert scene.truth()["slot"][0]["fp"] == foreign
    assert scene.json("rotate", "billing").rotation["state"] == "held"
    right = scene.json("release", "billing", "--discard-foreign", foreign)
    assert (right.code, right.rotation["state"]) == (0, "overlap"), right.err
    scene.settle()


def test_a_held_rotation_is_told_and_left_alone(scene: Scene) -> None:
    """`rotate` on a held app: exit 3 again, nothing is sent to the org; `status` shows why and the fix."""
    held_by_a_stranger(scene)
    calls = len(scene.calls())
    assert scene.json("rotate", "billing").code == 3
    assert len(scene.calls()) == calls
    (billing,) = scene.json("status", "billing").told["apps"]
    assert (billing["rotation"]["state"], "release" in billing["rotation"]["fix"]) == ("held", True)


def test_release_without_mending_holds_again(scene: Scene) -> None:
    """The foreign pair is still there: held again, exit 3."""
    held_by_a_stranger(scene)
    done = scene.json("release", "billing")
    assert (done.code, done.rotation["state"]) == (3, "held")
