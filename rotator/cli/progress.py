"""What is shown while rotations run: a live list on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol, TextIO

from rotator.cli import words
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation
from rotator.domain.words import Outcome, Phase
from rotator.log_words import clean
from rotator.wiring.logged import logged


class Show(Protocol):
    """Told of every row of the trail, and of every wait."""

    def report(self, event: Event, row: Rotation) -> None: ...
    def waits(self, row: Rotation, now: datetime) -> None: ...


@contextmanager
def progress(*, to_stderr: bool) -> Iterator[Show]:
    """The way to show that fits the stream."""
    stream = sys.stderr if to_stderr else sys.stdout
    if not stream.isatty():
        yield Lines(stream)
        return
    from rotator.cli.live import live

    with live(stream) as screen:
        yield screen


def result(event: Event, row: Rotation) -> str:
    """A step in a few words; "" for what is no news."""
    if event.phase is Phase.INTENT:
        return ""
    if event.phase is Phase.DECISION and row.next_at is not None:
        return ""  # a wait, which `waits` tells
    outcome = event.outcome or Outcome.OK
    return f"{event.step} {outcome.value}" + (f": {clean(event.error)}" if event.error else "")


class Lines:
    """One line per step and per wait."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[str, datetime | None] = {}  # rotation -> the wait that was told

    def report(self, event: Event, row: Rotation) -> None:
        logged(event, row)
        line = result(event, row)
        if line:
            self._write(f"{row.app}: {line}")

    def waits(self, row: Rotation, now: datetime) -> None:
        if self._told.get(row.id) != row.next_at and row.next_at is not None:
            self._told[row.id] = row.next_at
            self._write(f"{row.app}: {row.step} waits until {words.clock(row.next_at)}")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
