"""A SQLite file that two machines use: the second is refused, and nothing is rotated twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.acceptance.scene import Door, until
from tests.daemon.fleet import Fleet, daemon


def appears(folder: Path) -> None:
    """Another machine writes to the file."""
    with closing(sqlite3.connect(folder / "rotator.db", isolation_level=None, timeout=20)) as database:
        database.execute("UPDATE hosts SET boot_id = 'boot-x', machine_id = 'machine-x', name = 'omega'")


def test_a_daemon_stops_where_another_machine_uses_its_file(door: Door, tmp_path: Path) -> None:
    """In the middle of its work: it ends with 2 and changes nothing more; commands are refused with the way out. After
    `db check --take-over` a new daemon finishes, and each app was rotated once."""
    fleet = Fleet(door, tmp_path, apps=8)
    door("POST", "/latency", {"ms": 20})
    with daemon(fleet) as one:
        one.ready()
        until(lambda: fleet.calls("stage") >= 2, 30)
        appears(tmp_path)
        assert one.process.wait(60) == 2
    refused = fleet.json("status")["errors"][0]
    assert refused["code"] == "second_host"
    assert ("omega" in refused["message"], "--take-over" in refused["fix"]) == (True, True)
    assert fleet.json("db", "check", "--take-over")["ok"]
    with daemon(fleet, "two") as two:
        two.ready()
        until(lambda: one.settled() | two.settled() == fleet.names, 90)
        assert two.stop() == 0
    assert fleet.rotations() == dict.fromkeys(fleet.names, 1)
    assert fleet.calls("promote") == len(fleet.names)
    fleet.settle()
