"""What the tests of the log share: what was written, and calls that mypy would refuse."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

SECRET = "7C4E19D05B83FA26E1D7490CBA5862F3918D4E07A6BC35F2084EB97D16C3A5F0"


class Log:
    """What was written, as text and as lines."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.lines[-1]


def untyped(method: Callable[..., None], word: object, **fields: object) -> None:
    """A call that mypy would refuse: the lists hold at run time too."""
    method(word, **fields)


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    local = SECRET  # must not be printed
    try:
        raise error from cause
    except type(error) as caught:
        assert local
        return caught
