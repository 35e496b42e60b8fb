"""Durations as people write them: `500ms`, `30s`, `15m`, `24h`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta

PATTERN = r"^[0-9]{1,9}(ms|s|m|h|d)$"
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_WRITTEN = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
WRONG = "is not a duration: write a whole number and one of ms, s, m, h, d"


def parse_duration(written: object) -> timedelta:
    """Turn `24h` into a time span.

    Raises ValueError, without repeating what was written, for anything that is not one number
    and one unit, and for more than 100 years (sums with dates would overflow).
    """
    if isinstance(written, timedelta):
        return written
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError(WRONG)
    count, unit = match.groups()
    if int(count) * _UNITS[unit] > timedelta(days=36_500):
        raise ValueError("is longer than 100 years")
    return int(count) * _UNITS[unit]


def write_duration(span: timedelta) -> str:
    """An exact writing of a time span, as people would: `90d`, `24h`, `0s`; `parse_duration` reads it back."""
    if not span:
        return "0s"
    days = ("d",) if span >= timedelta(days=2) else ()  # a day is said as 24h
    unit = next(unit for unit in (*days, "h", "m", "s", "ms") if span % _UNITS[unit] == timedelta())
    return f"{span // _UNITS[unit]}{unit}"
