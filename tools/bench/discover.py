"""`rotator discover` of ever larger orgs: its memory must not follow the number of apps."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.acceptance.scene import Door, environment, simulator
from tests.daemon.fleet import Fleet
from tools.bench.process import python, run

Json = dict[str, Any]
PATIENCE_S = 600.0  # a world of twenty thousand apps takes a while to make
PLENTY = 10_000_000  # API requests a day: discover takes a tenth of what is left at most


def discovered(sizes: tuple[int, ...]) -> Json:
    """Seconds, calls and the most memory of one `discover` for each number of apps, three of them managed."""
    with tempfile.TemporaryDirectory() as place, simulator() as door:
        patient = Door(door.url, PATIENCE_S)
        found = [_one(patient, Path(place) / str(size), size) for size in sizes]
        patient.close()
    return {"sizes": found, "growth_mb": round(found[-1]["max_rss_mb"] - found[0]["max_rss_mb"], 1)}


def _one(door: Door, folder: Path, size: int) -> Json:
    folder.mkdir()
    fleet = Fleet(door, folder, size, ["acme"], difficulty="plain", managed=3)
    door("PATCH", "/orgs/acme", {"daily_limit": PLENTY})
    door("POST", "/shapes", {"page_size": "100"})
    done = run(python("-m", "rotator", "--config", str(fleet.config), "--json", "discover", "acme"), folder,
               environment())  # fmt: skip
    assert done.exit == 0, done.err
    told = json.loads(done.out)
    assert (told["complete"], sum(told["counts"].values())) == (True, size + 1), told["unseen"]
    return {"apps": size, "s": round(done.wall_s, 2), "cpu_s": round(done.cpu_s, 2), "calls": fleet.count(),
            "max_rss_mb": round(done.max_rss_mb, 1)}  # fmt: skip
