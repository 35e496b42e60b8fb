"""`python -m tools.bench`: the figures as one JSON document on standard output, progress on standard error."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from tools.bench.audit import audit
from tools.bench.calls import WORLDS, remote_calls
from tools.bench.check import checked
from tools.bench.discover import discovered
from tools.bench.fleet import flat, throughput
from tools.bench.force import forced
from tools.bench.idle import idle
from tools.bench.start import version_start
from tools.bench.wall import wall_ratio

Json = dict[str, Any]
MEMORY_GOAL_MB = 90


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="as little as shows that it works; not for comparing")
    size.add_argument("--full", action="store_true", help="verify 1,000,000 audit rows instead of 50,000")
    parser.add_argument("--only", action="append", choices=FIGURES, help="only this figure; may be repeated")
    return parser.parse_args(argv)


def calls_and_memory(given: argparse.Namespace) -> Json:
    """The two figures that one rotation gives; its memory is that of the plain world."""
    worlds = list(WORLDS)[:1] if given.quick else list(WORLDS)
    found = {world: remote_calls(world) for world in worlds}
    most = found["plain"][1].max_rss_mb
    memory = {"goal": MEMORY_GOAL_MB, "met": most < MEMORY_GOAL_MB, "max_rss_mb": round(most, 1)}
    return {"remote_calls": {world: figure for world, (figure, _) in found.items()}, "one_shot_memory": memory}


FIGURES: dict[str, Callable[[argparse.Namespace], Json]] = {
    "calls": calls_and_memory,
    "wall": lambda given: {"wall_ratio": wall_ratio(1 if given.quick else 7)},
    "force": lambda given: {"forced": forced(*((1, 3) if given.quick else (20, 50)))},
    "idle": lambda given: {"idle": idle(*((200, 5, 5.0, 1) if given.quick else (5_000, 50, 120.0, 5)))},
    "fleet": lambda given: {"fleet": throughput(*((8, 2) if given.quick else (1_000, 50)))},
    "check": lambda given: {"check": checked(*((6, 2) if given.quick else (500, 10)))},
    "discover": lambda given: {"discover": discovered((10, 40) if given.quick else (200, 2_000, 20_000))},
    "flat": lambda given: {"flat": flat(*((10, 40, 4) if given.quick else (20, 5_000)))},
    "start": lambda given: {"version_start_s": version_start(3 if given.quick else 10)},
    "audit": lambda given: {"audit": audit(*((200, 1_000) if given.quick else (2_000, rows_of(given))))},
}


def rows_of(given: argparse.Namespace) -> int:
    """How many rows are verified."""
    return 1_000_000 if given.full else 50_000


def about() -> Json:
    """When and where; figures of two machines, or of two loads, do not compare."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "cpus": os.cpu_count(),
            "load": [round(load, 2) for load in os.getloadavg()], "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}"}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    given = arguments(argv)
    document: Json = {"about": about()}
    for name in given.only or FIGURES:
        begun = time.monotonic()
        print(f"bench: {name} ...", file=sys.stderr, flush=True)
        document |= FIGURES[name](given)
        print(f"bench: {name} done in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
