"""`rotator run`: what is due is rotated once, whatever happens to the daemon meanwhile."""

from __future__ import annotations

import hashlib
import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.acceptance.scene import Door, Json, program, until
from tests.daemon.fleet import Fleet, daemon


def once_each(fleet: Fleet) -> dict[str, int]:
    """What the count of rotations must be."""
    return dict.fromkeys(fleet.names, 1)


def leases(folder: Path) -> int:
    """How many leases run."""
    with closing(sqlite3.connect(folder / "rotator.db")) as database:
        now = "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
        found = database.execute(f"SELECT count(*) FROM consumers WHERE owner != '' AND lease_until > {now}")  # noqa: S608
        return int(found.fetchone()[0])


def test_all_that_is_due_is_rotated_and_the_daemon_stops_at_sigterm(door: Door, tmp_path: Path) -> None:
    """Six apps in two orgs, never rotated: each is rotated and proven, once, as the scheduler's work. systemd hears
    READY, beats of the watchdog and STOPPING; SIGTERM ends it with 0, and no lease is left."""
    fleet = Fleet(door, tmp_path, apps=3)
    with daemon(fleet) as one:
        one.ready()
        until(lambda: one.ended() == fleet.names, 60)
        assert one.stop() == 0
        assert [one.said(word) for word in ("WATCHDOG=1", "STOPPING=1", "STATUS=")] == [True] * 3
    assert fleet.rotations() == once_each(fleet)
    assert fleet.calls("promote") == 6
    events = fleet.json("history", "acme-billing")["events"]
    assert {(e["trigger"], e["origin"]) for e in events if e["step"] == "request"} == {("scheduled", "daemon")}
    fleet.settle()


def test_a_daemon_that_is_killed_goes_on_where_it_was(door: Door, tmp_path: Path) -> None:
    """SIGKILL with rotations in every hand: once their leases have run out, the next start gives each open one a turn
    before it begins anything new;
    each app is rotated once."""
    fleet = Fleet(door, tmp_path, apps=9)
    door("POST", "/latency", {"ms": 20})
    with daemon(fleet) as one:
        one.ready()
        until(lambda: fleet.calls("stage") >= 3, 30)
        one.signal(signal.SIGKILL)
        one.process.wait(10)
    until(lambda: not leases(tmp_path))  # those of the dead one run out
    left = {app["app"] for app in fleet.json("status")["apps"] if app["rotation"]}
    fresh = fleet.names - set(fleet.rotations())
    with daemon(fleet, "two") as two:
        two.ready()
        until(lambda: one.settled() | two.settled() == fleet.names, 60)
        assert two.stop() == 0
    first = list(dict.fromkeys(line["app"] for line in two.lines("step")))
    assert left
    assert fresh
    assert set(first[: len(left)]) == left
    assert fleet.rotations() == once_each(fleet)
    fleet.settle()


def test_two_daemons_on_one_postgresql_rotate_each_app_once(door: Door, tmp_path: Path, postgres_url: str) -> None:
    """Forty due apps, two daemons that start at once: forty rotations, forty promotions, and both had a share."""
    fleet = Fleet(door, tmp_path, apps=20)
    fleet.configure(database=postgres_url)
    with daemon(fleet, "one") as one, daemon(fleet, "two") as two:
        until(lambda: one.settled() | two.settled() == fleet.names, 100)
        assert (one.stop(), two.stop()) == (0, 0)
        steps = [[line["step"] for line in each.lines("step") if line["outcome"] == "ok"] for each in (one, two)]
        shares = [each.count("promote") for each in steps]
    assert fleet.rotations() == once_each(fleet)
    assert fleet.calls("promote") == 40
    assert (sum(shares), min(shares) > 0) == (40, True)
    fleet.settle()


def test_sigterm_parks_at_the_next_safe_point_and_the_next_start_finishes(door: Door, tmp_path: Path) -> None:
    """SIGTERM while the org still works at our POST: the answer is waited for and written down, then the daemon ends
    with 0 and gives its lease back; the next one finishes the same rotation, with the same pair."""
    fleet = Fleet(door, tmp_path, apps=1)
    fleet.configure(apps={"billing": "enabled = true"})
    door("POST", "/pause", {"match": {"purpose": "stage"}, "when": "after"})
    with daemon(fleet) as one:
        one.ready()
        until(lambda: len([p for p in door("GET", "/paused") if p["state"] == "paused"]) > 0)
        one.signal(signal.SIGTERM)
        until(lambda: one.said("STOPPING=1"))
        assert one.process.poll() is None
        door("DELETE", "/pause")
        assert one.process.wait(20) == 0
    states = {app["app"]: app["rotation"]["state"] for app in fleet.json("status")["apps"] if app["rotation"]}
    assert states
    assert set(states.values()) == {"running"}
    with daemon(fleet, "two") as two:
        two.ready()
        until(lambda: two.ended() == fleet.names, 60)
        assert two.stop() == 0
    assert fleet.rotations() == once_each(fleet)
    assert fleet.calls("stage") == 2


def test_sighup_takes_a_good_configuration_and_refuses_a_bad_one(door: Door, tmp_path: Path) -> None:
    """A bad one is refused, with each mistake in the log and a row in the trail (the files' hashes, where the mistakes
    stand, no word of theirs), and the daemon works on; a good one, which enables an app, is taken. systemd hears
    RELOADING and READY again, and the trail of the new configuration."""
    fleet = Fleet(door, tmp_path, apps=2)
    fleet.configure(apps={"orders": "enabled = false", "billing": "enabled = false"})
    with daemon(fleet) as one:
        one.ready()
        fleet.configure(spoilt='\n[tming]\npasword = "hunter2"\n')
        spoilt = fleet.config.read_bytes()
        one.signal(signal.SIGHUP)
        until(lambda: len(one.lines("config_refused")) >= 2)
        assert one.said("RELOADING=1\nMONOTONIC_USEC=")
        assert [line["key"] for line in one.lines("config_refused") if "key" in line] == ["tming"]
        fleet.configure(apps={"billing": "enabled = false"})
        one.signal(signal.SIGHUP)
        until(lambda: len([message for message in one.heard if "READY=1" in message]) == 3)
        until(lambda: one.ended() == {"acme-orders", "bolt-orders"}, 60)
        assert one.stop() == 0
    assert set(fleet.rotations()) == {"acme-orders", "bolt-orders"}
    good, refused, taken = [e for e in fleet.json("history")["events"] if e["step"] == "config"]
    assert [e["outcome"] for e in (good, refused, taken)] == ["ok", "refused", "ok"]
    assert (refused["phase"], refused["origin"], refused["config_hash"]) == ("decision", "daemon", good["config_hash"])
    assert refused["evidence"]["files"] == {str(fleet.config): hashlib.sha256(spoilt).hexdigest()}
    line = spoilt.splitlines().index(b"[tming]") + 1
    assert refused["evidence"]["places"] == [f"{fleet.config}:{line}"]
    assert "hunter2" not in json.dumps(refused)
    assert "tming" not in json.dumps(refused)


def test_a_start_with_a_refused_configuration_stands_in_the_trail(door: Door, tmp_path: Path) -> None:
    """The daemon does not start (exit 2), and the database that the rest of the file names has a row of it. Where the
    file does not parse nobody knows the database: no row, and none is made anywhere."""
    fleet = Fleet(door, tmp_path, apps=1)
    assert refused_start(fleet, spoilt="\n[tming]\n") == []  # no database is there yet, and none is made
    assert not (tmp_path / "rotator.db").exists()
    fleet.configure()
    fleet.json("db", "upgrade")
    (row,) = refused_start(fleet, spoilt="\n[tming]\n")
    assert (row["outcome"], row["evidence"]["code"], row["evidence"]["mistakes"]) == ("refused", "config", 1)
    assert list(row["evidence"]["files"]) == [str(fleet.config)]
    assert len(refused_start(fleet, spoilt="\n[tming\n")) == 1


def refused_start(fleet: Fleet, spoilt: str) -> list[Json]:
    """Starts a daemon with a configuration that is refused; the rows of the trail that say so."""
    fleet.configure(spoilt=spoilt)
    assert program("--config", str(fleet.config), "run").code == 2
    fleet.configure()
    if not (fleet.folder / "rotator.db").exists():
        return []
    with closing(sqlite3.connect(fleet.folder / "rotator.db")) as database:
        rows = database.execute("SELECT outcome, evidence FROM audit_events WHERE step = 'config'").fetchall()
    return [{"outcome": outcome, "evidence": json.loads(evidence)} for outcome, evidence in rows]


def test_an_overlap_that_ends_is_carried_on_by_the_daemon(door: Door, tmp_path: Path) -> None:
    """No thread waits for it: the row says when, and the daemon comes back to it."""
    fleet = Fleet(door, tmp_path, apps=1)
    fleet.configure(overlap="2s")
    with daemon(fleet) as one:
        one.ready()
        until(lambda: one.ended() == fleet.names, 60)
        assert {line["state"] for line in one.lines("parked")} >= {"overlap"}
        assert one.stop() == 0
    fleet.settle()


def test_a_paused_app_is_begun_by_the_daemon_only_after_its_resume(door: Door, tmp_path: Path) -> None:
    """The other apps are rotated meanwhile; the daemon needs no signal to see either word."""
    fleet = Fleet(door, tmp_path, apps=2)
    fleet.json("pause", "acme-billing")
    with daemon(fleet) as one:
        one.ready()
        until(lambda: one.ended() == fleet.names - {"acme-billing"}, 60)
        assert "acme-billing" not in {line["app"] for line in one.lines("step")}
        fleet.json("resume", "acme-billing")
        until(lambda: one.ended() == fleet.names, 60)
        assert one.stop() == 0
