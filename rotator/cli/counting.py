"""Progress of what reads many rows: a number on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted(what: str) -> Iterator[Callable[[int], None] | None]:
    """Who is told how many there were so far; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    yield lambda number: _show(f"\r{number} {what} ")
    _show("\r\x1b[K")


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
