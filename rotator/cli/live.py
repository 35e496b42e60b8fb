"""The live list on a terminal: each app with its steps, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rotator.cli import words
from rotator.cli.progress import result
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation
from rotator.domain.words import Outcome, Phase
from rotator.wiring.logged import logged

STYLES = {Outcome.OK: "green", Outcome.REFUSED: "yellow", Outcome.UNKNOWN: "yellow"}


class Screen:
    """Steps scroll by above; the present step or wait of each app stands below."""

    def __init__(self, console: Console, view: Live) -> None:
        self._console, self._view = console, view
        self._below: dict[str, str] = {}

    def report(self, event: Event, row: Rotation) -> None:
        """A step that began stands below; one that ended goes up."""
        logged(event, row)
        if event.phase is Phase.INTENT:
            self._show(row.app, f"{event.step} ...")
            return
        line = result(event, row)
        if line:
            style = STYLES.get(event.outcome or Outcome.OK, "red")
            self._console.print(Text.assemble((f"{row.app:<16} ", "bold"), (line, style)))

    def waits(self, row: Rotation, now: datetime) -> None:
        """The seconds left of a wait, counted down."""
        if row.next_at is not None:
            left = max(0, round((row.next_at - now).total_seconds()))
            self._show(row.app, f"{row.step}: waits {left} s, until {words.clock(row.next_at)}")

    def _show(self, app: str, text: str) -> None:
        self._below[app] = text
        self._view.update(Text("\n".join(f"{name:<16} {line}" for name, line in self._below.items()), "dim"))


@contextmanager
def live(stream: TextIO) -> Iterator[Screen]:
    """A screen on this terminal. NO_COLOR is rich's to obey."""
    console = Console(file=stream, highlight=False)
    with Live(Text(""), console=console, refresh_per_second=4, transient=True, redirect_stdout=False,
              redirect_stderr=False) as view:  # fmt: skip
        yield Screen(console, view)
