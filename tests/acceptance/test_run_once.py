"""`rotator run --once`: all that is open, then all that is due."""

from __future__ import annotations

import datetime
import json

from tests.acceptance.scene import Scene, until


def apps(told: dict[str, object], member: str) -> set[str]:
    """The names in one list of a document."""
    found = told[member]
    assert isinstance(found, list)
    return {one["app"] for one in found}


def test_what_was_never_rotated_is_due_at_first_sight(scene: Scene) -> None:
    """Both apps are rotated, as `scheduled`; the next run finds one in overlap and the other not due."""
    first = scene.json("run", "--once")
    assert first.code == 0, first.err
    assert {r["app"]: (r["state"], r["trigger"]) for r in first.told["rotations"]} == {
        "billing": ("overlap", "scheduled"), "orders": ("done", "scheduled")}  # fmt: skip
    second = scene.json("run", "--once").told
    assert (apps(second, "rotations"), apps(second, "skipped")) == ({"billing"}, {"orders"})
    assert second["skipped"][0]["reason"] == "not due"


def test_a_disabled_app_is_left_alone_with_the_reason(scene: Scene) -> None:
    """enabled = false: skipped and said; `rotate` still works on it."""
    scene.configure(billing="enabled = false", orders="enabled = false")
    told = scene.json("run", "--once")
    assert (told.code, told.told["rotations"]) == (0, [])
    assert {(one["app"], one["reason"]) for one in told.told["skipped"]} == {
        ("billing", "disabled"), ("orders", "disabled")}  # fmt: skip
    assert scene.calls() == []
    assert scene.json("rotate", "orders").code == 0


def test_a_closed_window_keeps_routine_work_out(scene: Scene) -> None:
    """A window that opens on another day: not due, and `status` says when it will be."""
    day = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3)).strftime("%a")
    window = f'schedule = {{ every = "30d", window = "{day} 02:00-03:00" }}'
    scene.configure(billing=window, orders=window)
    told = scene.json("run", "--once").told
    assert (told["rotations"], apps(told, "skipped")) == ([], {"billing", "orders"})
    (billing,) = scene.json("status", "billing").told["apps"]
    assert billing["next_due_at"][11:16] == "02:00"
    assert billing["overdue"] is False


def test_what_is_open_is_carried_on(scene: Scene) -> None:
    """An overlap that ended meanwhile: the run retires and proves, under the trigger with which it began."""
    scene.configure(overlap="1s", orders="enabled = false")
    first = scene.json("rotate", "billing").rotation
    until(lambda: scene.json("run", "--once").told["rotations"][0]["state"] == "done", 30)
    row = scene.json("status", "billing").told["apps"][0]
    assert (row["rotation"], row["secret_age_s"] >= 0, row["last_rotated_at"]) == (None, True, first["started_at"])


def test_an_app_taken_out_before_publish_is_undone(scene: Scene) -> None:
    """The configuration names it no longer, and nothing was published: abandoned, exit 0, the slot empty."""
    scene.configure(propagation="30s", orders="enabled = false")
    scene.door("POST", "/facts", {"new_pair_propagation": "60s"})
    assert scene.json("rotate", "billing", "--timeout", "1s").code == 75
    text = scene.config.read_text().replace("[apps.billing]", "[apps.renamed]").replace("Billing_Sync", "Invoice_Feed")
    scene.config.write_text(text.replace("acme/billing", "acme/invoices").replace('overlap = "1h"', "enabled = false"))
    done = scene.json("run", "--once", "--timeout", "20s")
    assert (done.code, done.rotation["app"], done.rotation["state"]) == (0, "billing", "abandoned"), done.err
    assert scene.truth()["slot"] == []


def test_an_org_taken_out_is_held_for_a_human(scene: Scene) -> None:
    """The org of an open rotation is gone from the configuration: held, exit 3, with what to put back; once it is back,
    `release` goes on."""
    scene.configure(orders="enabled = false")
    scene.json("rotate", "billing")
    whole = scene.config.read_text()
    scene.config.write_text(whole.split("[orgs.acme]")[0] + "[timing]" + whole.split("[timing]")[1])
    done = scene.json("run", "--once")
    assert (done.code, done.rotation["state"], "[orgs.acme]" in done.rotation["fix"]) == (3, "held", True)
    scene.config.write_text(whole)
    assert scene.json("release", "billing").rotation["state"] == "overlap"


def test_a_timeout_without_once_is_refused(scene: Scene) -> None:
    """The daemon ends by a signal: exit 2, and what to do instead; nothing is begun."""
    done = scene.run("run", "--timeout", "1s")
    assert (done.code, "--once" in done.err, scene.calls()) == (2, True, [])


def test_what_another_rotated_meanwhile_is_not_rotated_again(scene: Scene) -> None:
    """A run that found the app due is slow to reach the org; another one rotates the app from end to end. The slow one
    asks again under the lease, begins nothing, and says so."""
    scene.configure(billing="enabled = false")
    scene.door("POST", "/pause", {"match": {"purpose": "list consumers"}})
    with scene.started("--json", "run", "--once") as slow:
        until(lambda: any(one["state"] == "paused" for one in scene.door("GET", "/paused")))
        assert scene.json("run", "--once").rotation["state"] == "done"
        scene.door("DELETE", "/pause")
        out, err = slow.communicate(timeout=30)
    told = json.loads(out)
    assert (slow.returncode, told["rotations"], apps(told, "skipped")) == (0, [], {"billing", "orders"}), err
    assert [c["purpose"] for c in scene.calls()].count("stage") == 1
