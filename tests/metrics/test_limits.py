"""Limits and breakers before the program as it runs."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.scene import Door, Scene, until
from tests.daemon.fleet import Fleet, daemon

ORDER = ("--reason", "key in a log", "--ticket", "INC-7")


def limit(scene: Scene, line: str) -> None:
    """Adds a limit to the configuration."""
    scene.config.write_text(scene.config.read_text() + f"\n[limits]\n{line}\n")


def waits(fleet: Fleet) -> dict[str, str]:
    """Why each org waits, as `status` has it from the daemon."""
    return {org["org"]: org["waits"] or "" for org in fleet.json("status")["orgs"]}


def test_a_rotation_waits_for_its_login_budget_and_a_force_does_not(scene: Scene) -> None:
    """Two logins an hour are not enough: the row says why, in words and a code, and exit 75 that it goes on later. A
    force goes on beyond it and is proven; its log warns."""
    limit(scene, "logins_per_hour = 2")
    late = scene.json("rotate", "orders", "--until", "done", "--timeout", "5s")
    assert (late.code, late.rotation["reason"]) == (75, "logins_spent"), late.err
    assert "2 token requests in an hour for one user of acme" in late.rotation["message"]
    forced = scene.json("--log-level", "warning", "force", "billing", *ORDER)
    assert (forced.code, forced.rotation["state"]) == (0, "done"), forced.err
    assert '"event": "over_budget"' in forced.err or '"event":"over_budget"' in forced.err
    scene.settle()


def test_nothing_is_begun_in_an_org_that_is_near_its_limit(scene: Scene) -> None:
    """The org says by a header that 95 of 100 API requests are used: no pair is staged, the reason is told. A person
    may rotate all the same, and once the count has fallen the next run rotates what is due."""
    scene.door("PATCH", "/orgs/acme", {"daily_limit": 100_000, "calls_today": 95_000})
    told = scene.json("run", "--once")
    assert (told.code, told.told["rotations"]) == (75, []), told.err
    assert {one["code"] for one in told.told["errors"]} == {"api_limit"}
    assert "of its 100000 API requests a day" in told.told["errors"][0]["message"]
    assert not [call for call in scene.calls() if call["purpose"] == "stage"]
    assert scene.json("rotate", "orders").code == 0
    scene.door("PATCH", "/orgs/acme", {"calls_today": 10})
    assert [row["app"] for row in scene.json("run", "--once").told["rotations"]] == ["billing"]


def test_an_org_that_is_down_is_left_alone_while_the_other_goes_on(door: Door, tmp_path: Path) -> None:
    """One org answers 503 to all: its breaker opens, its apps wait and `status` says why, the other org's are rotated;
    once it serves, the breaker closes by itself and its apps are rotated too."""
    fleet = Fleet(door, tmp_path, apps=10)
    fleet.configure(socket=f"{tmp_path}/control.sock")
    bolt = {name: "" for name in fleet.names if name.startswith("bolt")}
    door("POST", "/faults", {"kind": "status", "match": {"site": "org:bolt"}, "args": {"status": 503}})
    with daemon(fleet) as one:
        one.ready()
        until(lambda: bool(one.lines("breaker_open")), 60)
        assert {line["where"] for line in one.lines("breaker_open")} == {"bolt"}
        until(lambda: waits(fleet)["bolt"].startswith("the org bolt does not answer; next try in "), 30)
        assert waits(fleet)["acme"] == ""
        until(lambda: len(one.ended()) >= 3, 60)
        assert not one.ended() & set(bolt)
        door("DELETE", "/faults")
        until(lambda: bool(one.ended() & set(bolt)), 90)
        assert [line["where"] for line in one.lines("breaker_closed")][-1] == "bolt"
        assert one.stop() == 0
    fleet.settle()
