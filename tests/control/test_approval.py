"""The second person, with a daemon: it begins at once what was approved."""

from __future__ import annotations

from tests.acceptance.people import OTHER, as_other
from tests.acceptance.scene import until
from tests.control.served import Served

ORDER = ("--reason", "key in a log", "--ticket", "INC-7")


def test_the_daemon_begins_what_another_person_approved(scene: Served) -> None:
    """Held with the id; whoever asked is refused; approved over the socket by another, the daemon forces it by itself,
    and the trail names both."""
    scene.config.write_text(scene.config.read_text() + "\n[approval]\nsecond_person = true\n")
    assert scene.daemon is not None
    scene.reload(scene.daemon)
    held = scene.json("force", "billing", *ORDER)
    assert (held.code, held.rotation["state"], held.rotation["reason"]) == (3, "held", "approval"), held.err
    (waits,) = scene.json("approve").told["requests"]
    assert scene.json("approve", waits["request_id"]).told["errors"][0]["code"] == "approval_own"
    assert as_other(scene, "approve", waits["request_id"]).code == 0
    until(lambda: any(e["step"] == "close" and e["evidence"]["set"].get("state") == "done" for e in scene.events()), 40)
    opened = next(e for e in scene.events() if e["step"] == "force" and e["phase"] == "decision")
    assert (opened["approver"], opened["ticket"]) == (OTHER, "INC-7")
    assert opened["actor"] == waits["actor"] != OTHER
    again = scene.json("force", "billing", *ORDER)
    assert (again.code, again.rotation["rotation_id"]) == (0, opened["rotation_id"]), again.out
