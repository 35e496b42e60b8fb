"""The live list on a terminal: each app with its steps, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rotator.cli import words
from rotator.cli.progress import News, Wait
from rotator.domain.words import Outcome, Phase

STYLES = {Outcome.OK.value: "green", Outcome.REFUSED.value: "yellow", Outcome.UNKNOWN.value: "yellow"}


class Screen:
    """Steps scroll by above; the present step or wait of each app stands below."""

    def __init__(self, console: Console, view: Live) -> None:
        self._console, self._view = console, view
        self._below: dict[str, str] = {}

    def step(self, news: News) -> None:
        """A step that began stands below; one that ended goes up."""
        if news.phase == Phase.INTENT:
            self._show(news.app, f"{news.step} ...")
        elif news.line:
            style = STYLES.get(news.outcome or Outcome.OK.value, "red")
            self._console.print(Text.assemble((f"{news.app:<16} ", "bold"), (news.line, style)))

    def waits(self, wait: Wait) -> None:
        """The seconds left of a wait, counted down."""
        self._show(wait.app, f"{wait.step}: waits {max(0, round(wait.left))} s, until {words.clock(wait.end)}")

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
