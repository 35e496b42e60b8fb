"""A forced rotation: how long until the old pair is refused, until its sessions are ended, until all is proven; and its
remote calls, each with its purpose. W is 0 here: what is proven is proven W later than this says."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.bench import scene
from tools.bench.calls import WORLDS, steps_of, told
from tools.bench.process import Run, python, run, simulator
from tools.bench.record import Recorder, between
from tools.bench.words import SESSION_ENDS

Json = dict[str, Any]
ORDER = ("--reason", "bench", "--ticket", "INC-1", "--json", "--timeout", "10m")
GOALS_S = {"refused": {"p50": 15, "p99": 60}, "sessions": {"p99": 120}, "proven": {"p99": 120}, "refused_of_50": 300}
# The row of the trail that says it, the first of a rotation that fits.
MARKS = {
    "refused": "step = 'refused' AND outcome = 'ok'",
    "sessions": "step = 'revoke' AND phase = 'observe'",
    "proven": "step = 'close' AND phase = 'observe'",
}
ROUND_TRIPS_MS = (0, 200)


def forced(alone: int, many: int) -> Json:
    """One app, `alone` times; and `many` apps of one org at once; at each round trip. And the calls of one."""
    found = []
    for ms in ROUND_TRIPS_MS:
        found.append({"round_trip_ms": ms, "apps": 1, "times": alone, **timed(1, ms, alone)})
        found.append({"round_trip_ms": ms, "apps": many, "times": 1, **timed(many, ms, 1)})
    return {"goals_s": GOALS_S, "seconds_from_the_command": found, "remote_calls": calls_of_one()}


def timed(apps: int, ms: int, times: int) -> Json:
    """Forces so many apps so often, each time in a new world; seconds from the start of the process."""
    took: dict[str, list[float]] = {name: [] for name in MARKS}
    for _ in range(times):
        with tempfile.TemporaryDirectory() as place, simulator(*WORLDS["plain"], "--apps", str(apps)) as sim:
            folder = Path(place)
            config = configure(folder, sim, sim["org"]["acme"], sim["vault"])
            scene.door(sim, "POST", "/latency", {"ms": ms})
            begun = time.time()
            force(config, folder, "--all", "--yes")
            for name, seconds in marks(folder / "rotator.db", begun).items():
                took[name] += seconds
    return {name: {"p50": centile(all_, 50), "p99": centile(all_, 99)} for name, all_ in took.items()}


def centile(took: Sequence[float], part: int) -> float:
    """The value that so many of a hundred do not exceed, by rank."""
    ranked = sorted(took)
    return round(ranked[max(0, math.ceil(part / 100 * len(ranked)) - 1)], 2)


def marks(database: Path, begun: float) -> dict[str, list[float]]:
    """For each rotation, when each mark was first reached."""
    with sqlite3.connect(database) as trail:
        return {name: [datetime.fromisoformat(ts).timestamp() - begun for (ts,) in trail.execute(
            f"SELECT min(ts) FROM audit_events WHERE {where} GROUP BY rotation_id")]  # noqa: S608 - of our own
            for name, where in MARKS.items()}  # fmt: skip


def configure(folder: Path, sim: Mapping[str, Any], org: str, vault: str) -> Path:
    """The bench's configuration, with every app of the world."""
    login = scene.simulated_vault(sim)
    config = scene.configure(folder, org, vault, login)
    head, tail = config.read_text().split("[apps.billing]")
    world = scene.door(sim, "GET", "/world")["orgs"]["acme"]["apps"]
    lines = (f'[apps.{name}]\norg = "acme"\napp = "{app["developer_name"]}"\nvault_path = "{app["vault_path"]}"\n'
             for name, app in world.items())  # fmt: skip
    config.write_text(head + "".join(lines) + "[timing]" + tail.split("[timing]")[1])
    return config


def force(config: Path, folder: Path, *apps: str) -> Run:
    """The product's command, which must end with `done` for each."""
    done = run(python("-m", "rotator", "--config", str(config), "force", *apps, *ORDER), folder, os.environ)
    assert done.exit == 0, done.out + done.err
    states = {row["state"] for row in json.loads(done.out)["rotations"]}
    assert states == {"done"}, done.out
    return done


def calls_of_one() -> Json:
    """Every call of one forced rotation by a new process, with its purpose."""
    with tempfile.TemporaryDirectory() as place, simulator(*WORLDS["plain"], "--apps", "1") as sim:
        folder = Path(place)
        recorder = Recorder(folder / "rotator.db")
        with between(recorder, "org", sim["org"]["acme"]) as org, between(recorder, "vault", sim["vault"]) as vault:
            force(configure(folder, sim, org, vault), folder, scene.APP)
        steps = steps_of(recorder.database)
    rows = [told(n, call, steps) for n, call in enumerate(recorder.calls, 1)]
    ends = sum(row["purpose"] == SESSION_ENDS for row in rows)
    totals = {to: sum(row["to"] == to and row["purpose"] != SESSION_ENDS for row in rows) for to in ("org", "vault")}
    return {"totals": totals, "session_ends": ends, "calls": rows}
