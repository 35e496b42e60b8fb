"""Starting processes: one to its end with what it took, and servers that stop with us."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_S = 1800.0

# A small process in between: Linux counts what a process held before its exec, so a child of ours would never seem
# to hold less memory than we do.
BETWEEN = """
import json, os, sys, time
begun = time.perf_counter()
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(pid, 0)
told = {"exit": os.waitstatus_to_exitcode(status), "wall_s": time.perf_counter() - begun,
        "cpu_s": used.ru_utime + used.ru_stime, "max_rss_mb": used.ru_maxrss / 1024}
with open(sys.argv[1], "w") as out:
    json.dump(told, out)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A process that has ended. Seconds of wall and CPU; the most memory it held, in MB of 1024² bytes."""

    exit: int
    out: str
    err: str
    wall_s: float
    cpu_s: float
    max_rss_mb: float


def python(*arguments: str) -> list[str]:
    """The command line of this Python."""
    return [sys.executable, *arguments]


def run(command: Sequence[str], scratch: Path, env: Mapping[str, str]) -> Run:
    """Runs it to its end, in the checkout. `scratch`: a folder of ours."""
    told = scratch / "used.json"
    between = [sys.executable, "-I", "-S", "-c", BETWEEN, str(told), *command]
    done = subprocess.run(between, cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return Run(out=done.stdout, err=done.stderr, **json.loads(told.read_text()))


@contextmanager
def simulator(*options: str) -> Iterator[Mapping[str, Any]]:
    """A simulator in a process of its own; gives what it announced: addresses and options."""
    command = python("-m", "rotator.simulator", "--with-parent", *options)
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "the simulator did not start"
        yield json.loads(line)
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(20)
        process.stdout.close()
