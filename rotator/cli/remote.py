"""Commands that a running daemon does: the same words and documents, over its socket."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rotator.cli import out
from rotator.cli.driving import Tell, tell
from rotator.cli.progress import News, Show, Wait, progress
from rotator.cli.session import Session
from rotator.control.client import Daemon
from rotator.domain.errors import RotatorError
from rotator.log_words import clean

Json = dict[str, Any]
TICK_S = 0.1  # between two looks for a signal
END = object()


def drive(here: Session, daemon: Daemon, place: str, body: Mapping[str, Any], timeout: timedelta | None,
          tell: Tell = tell) -> int:
    """Orders, shows progress, tells what came of it; a signal leaves the rotation with the daemon. Gives the exit code.

    Raises what the daemon says no to, and Unavailable where it ends meanwhile.
    """
    from rotator.config.durations import write_duration

    asked = {**body, **({"timeout": write_duration(timeout)} if timeout is not None else {})}
    known: dict[str, str] = {}  # app -> rotation
    with progress(to_stderr=here.common.as_json) as show:
        for line in _until_stopped(here, daemon.lines(place, asked)):
            if line["kind"] == "result":
                return tell(here, line["document"])
            if line.get("rotation_id"):
                known[line["app"]] = line["rotation_id"]
            _show(show, line)
    return _left(here, daemon, body, known)


def _until_stopped(here: Session, lines: Iterator[Json]) -> Iterator[Json]:
    """The lines as they come, until a stop is asked for. A thread reads: a signal does not end a read."""
    came: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read() -> None:
        try:
            for line in lines:
                came.put(line)
            came.put(END)
        except RotatorError as error:
            came.put(error)

    threading.Thread(target=read, name="lines", daemon=True).start()
    while not here.stop.requested:
        try:
            item = came.get(timeout=TICK_S)
        except queue.Empty:
            continue
        if isinstance(item, RotatorError):
            raise item
        if item is END:
            return
        yield item


def _show(show: Show, line: Json) -> None:
    if line["kind"] == "warning":
        out.note(clean(f"warning: {line['message']}"))
    elif line["kind"] == "wait":
        end, now = datetime.fromisoformat(line["next_at"]), datetime.fromisoformat(line["now"])
        show.waits(Wait(line["app"], line["step"], end, (end - now).total_seconds()))
    elif line["kind"] == "step":
        show.step(News(line["app"], line["step"], line["phase"], line["outcome"], line["error"] or "",
                       parks=bool(line.get("parks"))))  # fmt: skip


def _left(here: Session, daemon: Daemon, body: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """After a signal: the daemon goes on with what is begun."""
    apps = body.get("apps") or [body.get("app")]
    rows = [{**daemon.get(f"/rotations/{known[app]}")["rotation"], "exit": 75} for app in apps if app in known]
    waiting = [app for app in apps if app not in known]
    document = {"ok": False, "exit": 75, "rotations": rows, "skipped": [], "not_begun": waiting}
    out.note("the daemon goes on with it; `rotator status` shows how far it is")
    return tell(here, document)
