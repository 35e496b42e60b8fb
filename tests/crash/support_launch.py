"""A launcher of rotators: starts the real command line in processes that can be killed at a database commit.

    python -m tests.crash.support_launch

It has imported everything, and forks for each start: one start costs milliseconds instead of most of a second. Orders
come as lines of JSON on standard input, answers go as lines of JSON to standard output:

    {"start": ["rotate", "billing"], "env": {}, "out": FILE, "notes": FILE, "commit": 3, "when": "after", "signal": 9}
    {"look": PID}     gives {"state": "runs" | "stopped" | "ended", "code": 0}; a death by signal has a negative code

The commits are seen by SQLAlchemy's own events; nothing of the product is changed. In `notes` each process writes the
number of the last row of the trail that it was told to be committed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Pool, event, inspect, text

from rotator.cli import main as program

EAGER = (
    "alembic.command", "hvac", "psycopg", "rotator.cli.rotate", "rotator.cli.progress", "rotator.wiring.asking",
    "rotator.wiring.connections", "rotator.wiring.rotate", "rotator.wiring.told", "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite", "zoneinfo", "rotator.adapters.sql.schema",
)  # fmt: skip


@dataclass
class Commits:
    """Counts the commits of this process that write, and sends it a signal at one of them."""

    notes: Path
    at: int  # 0: never
    when: str  # before | after
    signal: int
    count: int = 0
    told: int | None = None  # the last row of the trail in the transaction that is being committed

    def listen(self) -> None:
        """To every engine of this process."""
        event.listen(Engine, "commit", self.committing)
        event.listen(Pool, "checkin", self.committed)

    def committing(self, connection: Connection) -> None:
        if connection.get_execution_options().get("readonly"):
            return
        self.count += 1
        if (self.count, self.when) == (self.at, "before"):
            os.kill(os.getpid(), self.signal)
        self.told = last_row(connection)

    def committed(self, *_: object) -> None:
        """The connection goes back to the pool: COMMIT has been answered."""
        if self.told is None:
            return
        with self.notes.open("a") as notes:
            notes.write(f"{self.count} {self.told}\n")
        self.told = None
        if (self.count, self.when) == (self.at, "after"):
            os.kill(os.getpid(), self.signal)


def last_row(connection: Connection) -> int:
    """The number of the last row of the trail, as this transaction sees it."""
    if not inspect(connection).has_table("audit_events"):
        return 0
    return int(connection.execute(text("SELECT coalesce(max(seq), 0) FROM audit_events")).scalar_one())


def start(order: dict[str, Any]) -> int:
    """Forks; the child becomes the command. Gives its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        quiet, out = os.open(os.devnull, os.O_RDONLY), os.open(order["out"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        for source, target in ((quiet, 0), (out, 1), (out, 2)):
            os.dup2(source, target)
        os.environ.update(order.get("env", {}))
        Commits(Path(order["notes"]), order.get("commit", 0), order.get("when", ""), order.get("signal", 9)).listen()
        code = program.main(order["start"])
        sys.stdout.flush()
    finally:
        os._exit(code)


def look(pid: int) -> dict[str, Any]:
    """What a process does now."""
    found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
    if not found:
        return {"state": "runs"}
    if os.WIFSTOPPED(status):
        return {"state": "stopped"}
    return {"state": "ended", "code": os.waitstatus_to_exitcode(status)}


def serve() -> None:
    """Until standard input closes."""
    for name in EAGER:
        importlib.import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        answer = look(order["look"]) if "look" in order else {"pid": start(order)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
