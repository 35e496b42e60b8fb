"""How long a rotation takes against the same calls sent bare, in the same run, waits left out."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tools.bench import scene
from tools.bench.calls import WORLDS, rotate
from tools.bench.process import python, run, simulator
from tools.bench.record import Call, Recorder, between

Json = dict[str, Any]
GOAL = 1.25
ROUND_TRIPS_MS = (0, 50)
TRIES = 4
DATABASE, EMPTY = "rotator.db", "empty.db"


def wall_ratio(repetitions: int) -> Json:
    """Both at each round trip, turn by turn. The Vault is the simulator's: it can be put back to the beginning."""
    with tempfile.TemporaryDirectory() as place, simulator(*WORLDS["plain"]) as sim:
        folder = Path(place)
        calls = agreed(folder, sim)
        config = direct(folder, sim)
        found = [compared(folder, config, sim, calls, ms, repetitions) for ms in ROUND_TRIPS_MS]
    met = next(one["ratio"] for one in found if one["round_trip_ms"] == 50) <= GOAL
    return {"goal": GOAL, "goal_at_ms": 50, "met": met, "at": found}


def recorded(folder: Path, sim: Mapping[str, Any]) -> Sequence[Call]:
    """The calls of one rotation, as they went over the wire; leaves an empty database for the timed ones."""
    login = scene.simulated_vault(sim)
    blank(folder)
    recorder = Recorder(folder / DATABASE)
    with between(recorder, "org", sim["org"]["acme"]) as org, between(recorder, "vault", login.address) as vault:
        config = scene.configure(folder, org, vault, login)
        made = run(python("-m", "rotator", "--config", str(config), "db", "upgrade"), folder, os.environ)
        assert made.exit == 0, made.out + made.err
        shutil.copy(folder / DATABASE, folder / EMPTY)
        rotate(config, folder)
    return recorder.calls


def direct(folder: Path, sim: Mapping[str, Any]) -> Path:
    """A configuration with nothing in between."""
    login = scene.simulated_vault(sim)
    return scene.configure(folder, sim["org"]["acme"], login.address, login)


def agreed(folder: Path, sim: Mapping[str, Any]) -> Sequence[Call]:
    """A recording of as many calls as a rotation sends by itself. A machine under load may be slow just where a
    second ends, and then a wait more or less makes a look more or less."""
    for _ in range(TRIES):
        anew(sim, 0)
        calls = recorded(folder, sim)
        if product(folder, direct(folder, sim), sim, 0)["calls"] == len(calls):
            return calls
    raise AssertionError("no two rotations sent the same calls")


def compared(folder: Path, config: Path, sim: Mapping[str, Any], calls: Sequence[Call], ms: int, times: int) -> Json:
    """Medians of `times` turns of each, and their ratio."""
    ours, bare = [], []
    for _ in range(times):
        ours.append(alike(folder, config, sim, ms, len(calls)))
        bare.append(replay(sim, calls, ms))
    rotation, whole = (statistics.median(one[name] for one in ours) for name in ("rotation_s", "whole_process_s"))
    alone = statistics.median(bare)
    return {"round_trip_ms": ms, "calls": len(calls), "repetitions": times, "rotation_s": round(rotation, 3),
            "bare_s": round(alone, 3), "ratio": round(rotation / alone, 3), "whole_process_s": round(whole, 3),
            "ratio_whole_process": round(whole / alone, 3)}  # fmt: skip


def alike(folder: Path, config: Path, sim: Mapping[str, Any], ms: int, calls: int) -> Json:
    """A timed rotation of just so many calls; see `agreed`."""
    tried = (product(folder, config, sim, ms) for _ in range(TRIES))
    found = next((one for one in tried if one["calls"] == calls), None)
    assert found, f"no rotation sent the {calls} calls that were recorded"
    return found


def product(folder: Path, config: Path, sim: Mapping[str, Any], ms: int) -> Json:
    """One rotation in a new process. `whole_process_s` also counts the start of Python and all imports."""
    blank(folder)
    shutil.copy(folder / EMPTY, folder / DATABASE)
    start = anew(sim, ms)
    done = run(python("-m", "tools.bench.rotation", str(config)), folder, os.environ)
    assert done.exit == 0, done.err
    told: Json = json.loads(done.out)
    assert told["state"] == "done", told
    seen = scene.door(sim, "GET", f"/history?since={start}")
    return {**told, "whole_process_s": done.wall_s - told["waited_s"], "calls": len(seen)}


def blank(folder: Path) -> None:
    """No database."""
    for name in (DATABASE, DATABASE + "-wal", DATABASE + "-shm"):
        (folder / name).unlink(missing_ok=True)


def replay(sim: Mapping[str, Any], calls: Sequence[Call], ms: int) -> float:
    """The recorded calls, byte for byte, through a client that does nothing else. Seconds."""
    anew(sim, ms)
    to = {"org": sim["org"]["acme"], "vault": sim["vault"]}
    with httpx.Client(trust_env=False, timeout=30) as client:
        begun = time.perf_counter()
        answers = [
            client.request(call.method, to[call.to] + call.target, headers=call.headers, content=call.body).status_code
            for call in calls
        ]
        taken = time.perf_counter() - begun
    assert answers == [call.status for call in calls], "the bare calls were answered otherwise"
    return taken


def anew(sim: Mapping[str, Any], ms: int) -> int:
    """The same world from its beginning, at this round trip. Gives the number of the last request so far."""
    scene.door(sim, "POST", "/reset", {"latency_ms": ms})
    last: int = scene.door(sim, "DELETE", "/history")["last"]
    return last
