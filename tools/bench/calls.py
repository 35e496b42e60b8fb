"""The remote calls of one routine rotation with all proofs, by a new process that knows nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.bench import scene
from tools.bench.process import Run, python, run, simulator
from tools.bench.record import Call, Recorder, between
from tools.bench.words import SESSION_ENDS, plain, word_for

Json = dict[str, Any]
GOALS = {"org": 28, "vault": 12}
# As plain as an org can be, and one that is as difficult as this seed makes it.
WORLDS = {"plain": ("--seed", "7", "--plain", "--shape", "page_size=100"), "difficult": ("--seed", "7")}


def remote_calls(world: str) -> tuple[Json, Run]:
    """Rotates once in this world with the product's own command. Gives the list, and what the process took."""
    with tempfile.TemporaryDirectory() as place, simulator(*WORLDS[world]) as sim:
        folder = Path(place)
        with scene.best_vault(folder, sim) as (vault, login):
            recorder = Recorder(folder / "rotator.db")
            with between(recorder, "org", sim["org"]["acme"]) as org, between(recorder, "vault", login.address) as safe:
                config = scene.configure(folder, org, safe, login)
                done = rotate(config, folder)
            steps = steps_of(recorder.database)
    return {"world": " ".join(WORLDS[world]), "vault": vault, **listed(recorder.calls, steps)}, done


def rotate(config: Path, folder: Path) -> Run:
    """The product's command, which must end with `done`."""
    command = python("-m", "rotator", "--config", str(config), "rotate", scene.APP, "--json", "--timeout", "2m")
    done = run(command, folder, os.environ)
    assert done.exit == 0, done.out + done.err
    (rotation,) = json.loads(done.out)["rotations"]
    assert rotation["state"] == "done", rotation
    assert set(rotation["claims"].values()) == {"proven"}, rotation
    return done


def steps_of(database: Path) -> list[str]:
    """The step of each audit row, in order."""
    with sqlite3.connect(database) as trail:
        return [step for (step,) in trail.execute("SELECT step FROM audit_events ORDER BY seq")]


def listed(calls: Sequence[Call], steps: Sequence[str]) -> Json:
    """The figure: every call, the totals, and what is said for those above the goals."""
    rows = [told(n, call, steps) for n, call in enumerate(calls, 1)]
    ends = [row for row in rows if row["purpose"] == SESSION_ENDS]
    totals = {to: sum(row["to"] == to and row not in ends for row in rows) for to in GOALS}
    return {
        "goals": GOALS,
        "totals": totals,
        "session_ends": len(ends),  # apart: one for each session that was left
        "calls": rows,
        "above_goal": {to: above(to, totals[to], rows) for to in GOALS},
        "read_twice": read_twice(calls),
    }


def told(n: int, call: Call, steps: Sequence[str]) -> Json:
    """One call. Its step is that of the next audit row: what it was needed for."""
    step = steps[call.after_row] if call.after_row < len(steps) else "end"
    path = plain(call.target)
    word = word_for(call.to, call.method, path, step)
    return {"n": n, "to": call.to, "method": call.method, "path": path, "status": call.status, "step": step,
            "purpose": word.purpose, "why": word.why}  # fmt: skip


def above(to: str, total: int, rows: Sequence[Json]) -> Json:
    """How many calls more than the goal, and the words for as many; `unexplained` must be 0."""
    why: dict[str, list[int]] = {}
    for row in rows:
        if row["to"] == to and row["why"]:
            why.setdefault(row["why"], []).append(row["n"])
    more = max(total - GOALS[to], 0)
    found = [{"calls": numbers, "why": words} for words, numbers in why.items()]
    return {"calls": more, "unexplained": max(more - sum(len(one["calls"]) for one in found), 0),
            "justified_by": found if more else []}  # fmt: skip


def read_twice(calls: Sequence[Call]) -> list[list[int]]:
    """Reads that repeat an earlier one although nothing was written to that server in between: [earlier, later]."""
    seen: dict[tuple[str, str], int] = {}
    found = []
    for n, call in enumerate(calls, 1):
        if call.method != "GET":
            seen = {key: at for key, at in seen.items() if key[0] != call.to}
            continue
        if (call.to, call.target) in seen:
            found.append([seen[call.to, call.target], n])
        seen[call.to, call.target] = n
    return found
