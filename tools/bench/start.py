"""How fast the program starts."""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tools.bench.process import python, run

GOAL_S = 0.3


def version_start(repetitions: int) -> dict[str, Any]:
    """`rotator --version`, from the start of the process to its end: median and worst."""
    with tempfile.TemporaryDirectory() as scratch:
        runs = [run(python("-m", "rotator", "--version"), Path(scratch), os.environ) for _ in range(repetitions)]
    assert all(one.exit == 0 for one in runs), runs[-1].err
    walls = [one.wall_s for one in runs]
    median = statistics.median(walls)
    return {"goal": GOAL_S, "met": median < GOAL_S, "median": round(median, 3), "worst": round(max(walls), 3),
            "repetitions": repetitions}  # fmt: skip
