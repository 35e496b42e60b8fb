"""The daemon's sweep: what others did to an app between its rotations."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.scene import Door, Json, until
from tests.daemon.fleet import Fleet, daemon


def drifts(fleet: Fleet) -> dict[str, list[tuple[str, str]]]:
    """What `status` shows of each app."""
    apps: list[Json] = fleet.json("status")["apps"]
    return {app["app"]: [(one["look"], one["state"]) for one in app["drift"]] for app in apps if app["drift"]}


def test_what_strangers_do_is_told_once_and_left_as_it_is(door: Door, tmp_path: Path) -> None:
    """An orphan in the slot of one app, a foreign primary of another, a live path that was taken back: each is in
    `status`, in the log and in the trail, once although the sweep comes again and again, by one of two daemons. Nothing
    is changed in the org or in Vault. What is put right is said to be."""
    fleet = Fleet(door, tmp_path, apps=2)
    fleet.configure(sweep="1s")
    with daemon(fleet, "one") as one, daemon(fleet, "two") as two:
        until(lambda: one.settled() | two.settled() == fleet.names, 90)
        apps = {org: dict(told["apps"]) for org, told in fleet.world["orgs"].items()}
        (first, second), (third, _) = sorted(apps["acme"]), sorted(apps["bolt"])
        acts = (("stage", "acme", first), ("replace_primary", "acme", second), ("delete_live", "bolt", third))
        for act, org, app in acts:
            assert door("POST", "/strangers", {"act": act, "app": app, "org": org})["done"]
        before = fleet.writes()
        wanted = {f"acme-{first}": [("slot", "drift")], f"acme-{second}": [("keys", "drift")],
                  f"bolt-{third}": [("keys", "drift")]}  # fmt: skip
        until(lambda: drifts(fleet) == wanted, 60)
        done = len(one.lines("swept") + two.lines("swept"))
        until(lambda: len(one.lines("swept") + two.lines("swept")) >= done + 6, 60)
        assert fleet.writes() == before
        told = [(line["app"], line["look"]) for line in one.lines("drift") + two.lines("drift")]
        assert sorted(told) == sorted((app, look) for app, ((look, _),) in wanted.items())
        door("POST", "/strangers", {"act": "delete", "app": first, "org": "acme"})
        until(lambda: f"acme-{first}" not in drifts(fleet), 60)
        assert (one.stop(), two.stop()) == (0, 0)
    rows = [(e["app"], e["outcome"]) for e in fleet.json("history")["events"] if e["step"] == "drift"]
    assert sorted(rows) == sorted([*((app, "failed") for app in wanted), (f"acme-{first}", "ok")])


def test_a_sweep_that_cannot_look_says_so(door: Door, tmp_path: Path) -> None:
    """The org does not let us read the slot: `blind`, `unknown` in the trail; seen again later, it is fine."""
    fleet = Fleet(door, tmp_path, apps=1)
    fleet.configure(sweep="1s")
    with daemon(fleet) as one:
        until(lambda: one.settled() == fleet.names, 60)
        closed = {"match": {"site": "org", "purpose": "read slot"}, "every": 1, "args": {"status": 403}}
        door("POST", "/faults", {"kind": "status", **closed})
        until(lambda: set(drifts(fleet)) == fleet.names, 60)
        assert {one for told in drifts(fleet).values() for one in told} == {("slot", "blind")}
        door("DELETE", "/faults")
        until(lambda: drifts(fleet) == {}, 60)
        assert one.stop() == 0
    rows = {e["outcome"] for e in fleet.json("history")["events"] if e["step"] == "drift"}
    assert rows == {"unknown", "ok"}
