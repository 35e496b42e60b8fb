"""A daemon that is frozen past its leases: what it wakes to is another's work."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.acceptance.scene import Door, until
from tests.daemon.fleet import Fleet, daemon


@pytest.mark.needs("postgres")
def test_a_daemon_that_wakes_after_its_leases_changes_nothing(door: Door, tmp_path: Path, postgres_url: str) -> None:
    """SIGSTOP with rotations in every hand; another daemon takes them over when the leases have run out, and rotates
    all the rest. Then SIGCONT: the first finds nothing to do. Each app rotated once, by the trail and by the org's own
    count of promotions; whoever lost a lease says so in the trail; both are alive in the end."""
    fleet = Fleet(door, tmp_path, apps=8)
    fleet.configure(database=postgres_url)
    door("POST", "/latency", {"ms": 20})
    with daemon(fleet, "one", {"WATCHDOG_USEC": ""}) as one, daemon(fleet, "two") as two:
        one.ready()
        two.ready()
        until(lambda: len([line for line in one.lines("step") if line["step"] == "stage"]) >= 2, 30)
        one.signal(signal.SIGSTOP)
        until(lambda: one.settled() | two.settled() == fleet.names, 90)
        promoted, staged = fleet.calls("promote"), fleet.calls("stage")
        one.signal(signal.SIGCONT)
        beats = len(one.heard)
        until(lambda: len(one.heard) > beats + 2, 30)
        assert (fleet.calls("promote"), fleet.calls("stage")) == (promoted, staged)
        assert promoted == 16
        assert (one.stop(), two.stop()) == (0, 0)
    assert fleet.rotations() == dict.fromkeys(fleet.names, 1)
    assert "lease" in {event["step"] for event in fleet.json("history")["events"]}
    fleet.settle()
