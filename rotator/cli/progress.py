"""What is shown while rotations run: a live list on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TextIO

from rotator.cli import words
from rotator.domain.words import Outcome, Phase
from rotator.log_words import clean


@dataclass(frozen=True, slots=True)
class News:
    """A row of the trail, as far as it is progress; `parks`: it only says that the rotation waits."""

    app: str
    step: str
    phase: str
    outcome: str | None = None
    error: str = ""
    parks: bool = False

    @property
    def line(self) -> str:
        """In a few words; "" for what is no news."""
        if self.phase == Phase.INTENT or (self.phase == Phase.DECISION and self.parks):
            return ""  # a wait is told by itself
        return f"{self.step} {self.outcome or Outcome.OK.value}" + (f": {clean(self.error)}" if self.error else "")


@dataclass(frozen=True, slots=True)
class Wait:
    """A rotation that waits until `end`; `left` seconds of it."""

    app: str
    step: str
    end: datetime
    left: float


class Show(Protocol):
    """Told of every row of the trail, and of every wait."""

    def step(self, news: News) -> None: ...
    def waits(self, wait: Wait) -> None: ...


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


class Lines:
    """One line per step and per wait."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[str, datetime] = {}  # app -> the wait that was told

    def step(self, news: News) -> None:
        if news.line:
            self._write(f"{news.app}: {news.line}")

    def waits(self, wait: Wait) -> None:
        if self._told.get(wait.app) != wait.end:
            self._told[wait.app] = wait.end
            self._write(f"{wait.app}: {wait.step} waits until {words.clock(wait.end)}")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
