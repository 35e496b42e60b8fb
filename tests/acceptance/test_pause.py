"""`pause` and `resume`."""

from __future__ import annotations

from tests.acceptance.scene import Scene, until


def skipped(scene: Scene) -> dict[str, str]:
    """What `run --once` leaves alone, and why."""
    return {one["app"]: one["reason"] for one in scene.json("run", "--once").told["skipped"]}


def test_a_paused_app_is_skipped_with_the_reason_and_shown(scene: Scene) -> None:
    """Who paused it and why stand in `run --once`, in `status` and in the trail; the other app is rotated. After
    `resume` it is due as before."""
    scene.configure(orders="enabled = false")
    begun = scene.json("pause", "billing", "--reason", "quarter end")
    assert (begun.code, begun.told["ok"], begun.told["pauses"][0]["scope"]) == (0, True, "app")
    assert "quarter end" in skipped(scene)["billing"]
    (billing,) = scene.json("status", "billing").told["apps"]
    assert (billing["paused"], billing["pause"]["reason"], billing["pause"]["until"]) == (True, "quarter end", None)
    assert "quarter end" in scene.run("status").out
    assert scene.calls() == []
    assert scene.json("resume", "billing").told["pauses"] == []
    assert scene.json("run", "--once").rotation["state"] == "overlap"
    rows = [(e["step"], e["phase"], e["reason"]) for e in scene.events() if e["step"] in ("pause", "resume")]
    assert rows == [("pause", "decision", "quarter end"), ("resume", "decision", None)]


def test_a_pause_ends_by_itself(scene: Scene) -> None:
    """--for 8s (two commands fit in, on a busy machine too): skipped with the time of the end, then due."""
    scene.configure(orders="enabled = false")
    assert scene.json("pause", "--all", "--for", "8s").told["pauses"][0]["until"]
    assert "until" in skipped(scene)["billing"]
    until(lambda: scene.json("status").told["apps"][0]["paused"] is False)
    assert scene.json("run", "--once").rotation["app"] == "billing"


def test_a_paused_org_keeps_its_apps_paused_whatever_is_said_of_one(scene: Scene) -> None:
    """Each pause is lifted by its own word; `resume` of an app says that its org is paused still."""
    scene.run("pause", "--org", "acme")
    assert set(skipped(scene)) == {"billing", "orders"}
    told = scene.run("resume", "billing").out
    assert "was not paused" in told
    assert "org acme" in told
    assert len(skipped(scene)) == 2
    assert scene.json("resume", "--org", "acme").told["pauses"] == []


def test_a_person_rotates_a_paused_app_with_a_warning(scene: Scene) -> None:
    """`rotate` runs; standard error says that the app is paused."""
    scene.run("pause", "orders", "--reason", "audit")
    done = scene.json("rotate", "orders")
    assert (done.code, done.rotation["state"]) == (0, "done")
    assert "orders is paused by" in done.err


def test_what_is_open_goes_on_while_paused(scene: Scene) -> None:
    """A rotation in its overlap is finished."""
    scene.configure(overlap="1s", orders="enabled = false")
    scene.json("rotate", "billing")
    assert scene.run("pause", "--all").code == 0
    until(lambda: scene.json("run", "--once").told["rotations"][0]["state"] == "done", 30)


def test_what_cannot_be_paused_is_refused(scene: Scene) -> None:
    """None or two of app, org and all; an app or an org that nobody knows: exit 2, and nothing is written."""
    for words in ((), ("billing", "--all"), ("bilingx",), ("--org", "acne")):
        done = scene.json("pause", *words)
        assert done.code == 2, words
        assert done.told["errors"][0]["fix"]
    assert "did you mean acme" in scene.run("pause", "--org", "acne").err
    assert "pause" not in [e["step"] for e in scene.json("history").told["events"]]
