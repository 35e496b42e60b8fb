"""Wall clocks: when a window is open and when a cron line fires. Pure; every time that goes in or out is aware.

Where clocks are set forward, what falls into the hour that does not exist happens an hour on; where they are set back,
what falls into the hour that comes twice happens the first time, and once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol

FAR = 8 * 366 + 2  # days: a cron line fires at least once in them (29 February, and 2100 has none)
DAY = 24 * 60  # minutes

Span = tuple[datetime, datetime]


class Window(Protocol):
    """When routine work may start: on `days` (0 is Monday) from `start` to before `end`, minutes of wall time."""

    @property
    def days(self) -> frozenset[int]: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Cron(Protocol):
    """A cron line, spelled out."""

    @property
    def hours(self) -> tuple[int, ...]: ...
    @property
    def minutes(self) -> tuple[int, ...]: ...
    def fires_on(self, day: date) -> bool: ...


def spans(window: Window, zone: tzinfo, moment: datetime) -> Iterator[Span]:
    """The times from, to before, at which the window is open: those that end after `moment`, in order."""
    today = moment.astimezone(zone).date()
    days = (today + timedelta(days=n) for n in range(-2, FAR))
    found = (_span(window, day, zone) for day in days if day.weekday() in window.days)
    return (span for span in found if moment < span[1])


def _span(window: Window, day: date, zone: tzinfo) -> Span:
    start, end = _at(day, window.start, zone), _at(day, window.end, zone)
    swallowed = end <= start  # by the hour that does not exist
    return (start, start + timedelta(minutes=window.end - window.start) if swallowed else end)


def firings(cron: Cron, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """The times after `after` at which the line fires, in order."""
    first = after.astimezone(zone).date()
    for day in (first + timedelta(days=n) for n in range(-1, FAR)):
        if cron.fires_on(day):
            times = {_at(day, hour * 60 + minute, zone) for hour in cron.hours for minute in cron.minutes}
            yield from sorted(time for time in times if time > after)


def _at(day: date, minute: int, zone: tzinfo) -> datetime:
    """Wall time of a day as a point in time; above 1440 it lies on the next day."""
    days, rest = divmod(minute, DAY)
    wall = datetime.combine(day + timedelta(days=days), datetime.min.time()) + timedelta(minutes=rest)
    return wall.replace(tzinfo=zone).astimezone(UTC)
