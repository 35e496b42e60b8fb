"""`rotator check` of many apps against the same calls sent bare."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.acceptance.scene import program, simulator
from tests.daemon.fleet import Fleet
from tools.bench.fleet import ROUND_TRIP_MS, replayed

Json = dict[str, Any]
LIMIT_S = 1_800.0


def checked(apps: int, orgs: int) -> Json:
    """Seconds of one `check` of all apps, the start of the program with it, and of a client that sends the same calls
    on a thread per org, which is how `check` works."""
    with tempfile.TemporaryDirectory() as place, simulator() as door:
        fleet = Fleet(door, Path(place), apps // orgs, [f"org{number}" for number in range(orgs)], difficulty="plain")
        assert program("--config", str(fleet.config), "db", "upgrade").code == 0
        door("POST", "/latency", {"ms": ROUND_TRIP_MS})
        begun = time.monotonic()
        done = program("--config", str(fleet.config), "--json", "check", limit=LIMIT_S)
        took = time.monotonic() - begun
        calls = door("GET", "/history")
        bare = len(calls) / replayed(fleet, calls, threads=orgs, most=len(calls))
    told = json.loads(done.out)["checks"]
    assert done.code == 0, [one for one in told if not one["ok"] and one.get("level") != "warn"][:3]
    return {"apps": apps, "orgs": orgs, "round_trip_ms": ROUND_TRIP_MS, "rows": len(told), "calls": len(calls),
            "calls_per_app": round(len(calls) / apps, 1), "s": round(took, 2), "bare_s": round(bare, 2),
            "ratio": round(took / bare, 3)}  # fmt: skip
