"""PostgreSQL's disk is full under a running rotation: nothing that was said is lost, and with room it goes on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.acceptance.scene import Door, Json, until
from tests.daemon.fleet import Fleet, Running, daemon
from tests.servers.disk import SmallDisk

# Each change outside, by its name in the simulator's history, and the step whose intent has to stand before it.
CHANGES = {"stage": "stage", "promote": "promote", "delete slot": "retire"}


def trail(fleet: Fleet) -> list[Json]:
    """Its rows, but those that say who read it."""
    return [row for row in fleet.json("history")["events"] if row["step"] != "read"]


def said(one: Running) -> Counter[tuple[str, str, str]]:
    """The rows that the daemon said were written."""
    return Counter((line["step"], line["phase"], line.get("outcome") or "") for line in one.lines("step"))


def test_a_rotation_outlives_a_full_disk_of_postgresql(door: Door, tmp_path: Path, disk: SmallDisk) -> None:
    """The disk is filled between the POST and its answer. Every row that the daemon reported is there, each change
    outside had its intent, and the chain is whole while the disk is full. With room again the same daemon ends the
    same rotation; the app was promoted once, and state rebuilt from the trail is the live one."""
    fleet = Fleet(door, tmp_path, apps=1, orgs=("acme",), managed=1)
    fleet.configure(database=disk.url)
    door("POST", "/pause", {"match": {"purpose": "stage"}, "when": "after"})
    with daemon(fleet) as one:
        one.ready()
        until(lambda: any(p["state"] == "paused" for p in door("GET", "/paused")), 30)
        disk.fill()
        door("DELETE", "/pause")
        until(lambda: any("53100" in str(line) for line in one.lines("set_back") + one.lines("database_down")), 30)
        told, rows = said(one), trail(fleet)
        assert not told - Counter((row["step"], row["phase"], row["outcome"] or "") for row in rows)
        intents = {row["step"] for row in rows if row["phase"] == "intent"}
        assert {step for purpose, step in CHANGES.items() if fleet.calls(purpose)} <= intents
        assert fleet.json("audit", "verify")["ok"] is True
        disk.free()
        until(lambda: one.ended() == fleet.names, 60)
        assert one.stop() == 0
    after = trail(fleet)
    assert [row["event_id"] for row in after][: len(rows)] == [row["event_id"] for row in rows]
    assert (fleet.calls("promote"), dict(fleet.rotations())) == (1, dict.fromkeys(fleet.names, 1))
    assert fleet.json("audit", "verify")["ok"] is True
    assert fleet.json("db", "rebuild", "--dry-run")["changed"] == []
    fleet.settle()
