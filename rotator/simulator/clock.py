"""The simulator's own clock: the wall clock plus an offset that the admin door moves."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.utils import formatdate

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(\.\d+)?)(ms|s|m|h|d)")


class Clock:
    """Seconds since the epoch, UTC. Every expiry, `Date` header and time-to-live of the simulator reads it."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen: float | None = None

    def reset(self) -> None:
        """Back to the wall clock."""
        self._offset, self._frozen = 0.0, None

    def now(self) -> float:
        """Simulated seconds since the epoch."""
        return (time.time() if self._frozen is None else self._frozen) + self._offset

    def advance(self, seconds: float) -> None:
        """Move by that many seconds; negative moves back."""
        self._offset += seconds

    def set_to(self, epoch: float) -> None:
        """Make it that time now; it runs on from there unless frozen."""
        self._offset += epoch - self.now()

    def freeze(self, frozen: bool) -> None:
        """Stop, or let run again from where it stands."""
        here = self.now()
        self._frozen = time.time() if frozen else None
        self.set_to(here)

    def http_date(self) -> str:
        """The value of a `Date` header."""
        return formatdate(self.now(), usegmt=True)


def iso(epoch: float) -> str:
    """Vault's way to write a time: RFC 3339 in UTC with a `Z`."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: str | int | float) -> float:
    """`500ms`, `30s`, `15m`, `24h`, `30d`, Vault's `1h2m3s` or a bare number, in seconds; ValueError otherwise."""
    if isinstance(text, int | float) or re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h|d))+", text):
        raise ValueError(f"not a duration: {text!r}")
    return sum(float(number) * _UNITS[unit] for number, _, unit in _PART.findall(text))
