"""Many apps at once: how fast against the same calls sent bare, and what one rotation costs among few and many apps."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx

from rotator.daemon.service import WORKERS
from tests.acceptance.scene import simulator, until
from tests.daemon.fleet import Fleet, daemon
from tools.bench.idle import APP, ORG, furnish, used

Json = dict[str, Any]
GOAL = 0.8
ROUND_TRIP_MS = 50
BARE_CALLS = 4_000
LIMIT_S = 3_600.0
FLAT_GOAL = 1.25


def throughput(apps: int, orgs: int) -> Json:
    """Apps per second of one daemon, and of a client that sends as many calls on as many threads as it has workers."""
    with tempfile.TemporaryDirectory() as place, simulator() as door:
        names = [f"org{number}" for number in range(orgs)]
        fleet = Fleet(door, Path(place), apps // orgs, names, difficulty="plain")
        fleet.configure(propagation="0s", lease="10s")
        door("POST", "/latency", {"ms": ROUND_TRIP_MS})
        took, cpu = worked(fleet, apps)
        calls = door("GET", "/history")
        bare = replayed(fleet, calls)
    each = len(calls) / apps
    ours, alone = apps / took, bare / each
    return {"goal": GOAL, "met": ours / alone >= GOAL, "ratio": round(ours / alone, 3), "apps": apps, "orgs": orgs,
            "round_trip_ms": ROUND_TRIP_MS, "workers": WORKERS, "calls_per_app": round(each, 1),
            "apps_per_s": round(ours, 3), "bare_apps_per_s": round(alone, 3),
            "cpu_s_per_app": round(cpu / apps, 3)}  # fmt: skip


def worked(fleet: Fleet, apps: int) -> tuple[float, float]:
    """Seconds from ready until so many apps are rotated, and the CPU that the daemon took for it."""
    with daemon(fleet, "one", {"WATCHDOG_USEC": ""}) as one:
        one.ready()
        begun, before = time.monotonic(), used(one.process.pid)
        until(lambda: rotated(fleet.folder) >= apps, LIMIT_S)
        took, cpu = time.monotonic() - begun, used(one.process.pid) - before
        assert one.stop() == 0
    return took, cpu


def rotated(folder: Path) -> int:
    """How many apps were rotated (those of `furnish` have other keys). Asked now and then, so as not to disturb."""
    time.sleep(0.5)
    with closing(sqlite3.connect(f"file:{folder / 'rotator.db'}?mode=ro", uri=True, timeout=20)) as database:
        done = "SELECT count(*) FROM rotations WHERE state IN ('done', 'unproven') AND new_key LIKE '3MVG9%'"
        return int(database.execute(done).fetchone()[0])


def replayed(fleet: Fleet, calls: Sequence[Json], threads: int = WORKERS, most: int = BARE_CALLS) -> float:
    """Calls per second: the same methods and paths on as many threads as whoever made them had, with nothing between
    two calls. Their answers are refusals mostly, which cost the simulator less: the comparison is strict."""
    to = {name: told["url"] for name, told in fleet.world["orgs"].items()}
    to["vault"] = fleet.world["vault"]["url"]
    chosen = [(call["method"], to[call["site"].removeprefix("org:")] + call["path"])
              for call in islice(cycle(calls), most)]  # fmt: skip
    shares = [chosen[at::threads] for at in range(threads)]
    senders = [threading.Thread(target=send, args=(share,)) for share in shares]
    begun = time.monotonic()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return len(chosen) / (time.monotonic() - begun)


def send(share: Sequence[tuple[str, str]]) -> None:
    """One thread's calls, over connections that it keeps."""
    with httpx.Client(trust_env=False, timeout=60) as client:
        for method, url in share:
            client.request(method, url)


def flat(few: int, many: int, due: int = 20) -> Json:
    """CPU of the daemon for each of `due` rotations, with so few and so many apps in its configuration; what it takes
    for being idle among them is in it."""
    costs = [cost(due, max(apps - due, 0)) for apps in (few, many)]
    ratio = costs[1] / costs[0]
    return {"goal": FLAT_GOAL, "met": ratio <= FLAT_GOAL, "ratio": round(ratio, 3), "apps": [max(few, due), many],
            "cpu_s_per_rotation": [round(cost, 3) for cost in costs]}  # fmt: skip


def cost(due: int, others: int) -> float:
    """Seconds of CPU for a rotation beside so many apps that were rotated not long ago."""
    with tempfile.TemporaryDirectory() as place, simulator() as door:
        folder = Path(place)
        fleet = Fleet(door, folder, due // 2, difficulty="plain")
        fleet.configure(propagation="0s", lease="10s")
        told = fleet.config.read_text().replace('tick = "200ms"', 'tick = "5s"')  # the usual one
        if others:
            told += "".join([ORG.format(org=0), *(APP.format(app=app, org=0) for app in range(others))])
        fleet.config.write_text(told)
        if others:
            furnish(folder / "rotator.db", others, 1)
        return worked(fleet, due)[1] / due
