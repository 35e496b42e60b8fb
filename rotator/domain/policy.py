"""What is due, and why. Pure: times come in, a time goes out; nothing here looks at a clock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Protocol

FAR = 4 * 366  # days: a cron line fires at least once in them (29 February), a window opens within 8


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


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an app's rotations are due. `every` is None where `cron` says when."""

    every: timedelta | None
    max_age: timedelta
    cron: Cron | None = None
    window: Window | None = None
    zone: tzinfo = UTC
    jitter: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Due:
    """When the next rotation may begin (in the past: it should have), and why then."""

    at: datetime
    why: str
    now: bool  # it is due
    overdue: bool  # due, and its first chance has passed


def due(schedule: Schedule, name: str, last: datetime | None, now: datetime) -> Due:
    """When the app `name`, last rotated at `last` (None: never), is due, seen from `now`."""
    wanted, why = (now, "never rotated") if last is None else _wanted(schedule, name, last)
    chance = opening(schedule, wanted)
    limit = last + schedule.max_age if last is not None else None
    if limit is not None and limit < chance:
        return Due(limit, "older than max_age", limit <= now, limit < now)
    if chance > now:
        return Due(chance, why if chance == wanted else f"{why}; waits for its window", now=False, overdue=False)
    missed = opening(schedule, now) > now  # its window has passed
    overdue = last is not None and chance < now
    if not missed:
        return Due(chance, why, now=True, overdue=overdue)
    again = opening(schedule, now)
    if limit is not None and limit < again:
        return Due(limit, "older than max_age", limit <= now, overdue)
    return Due(again, f"{why}; missed its window", now=False, overdue=overdue)


def _wanted(schedule: Schedule, name: str, last: datetime) -> tuple[datetime, str]:
    if schedule.cron is not None:
        return next(firings(schedule.cron, schedule.zone, last)), "its cron line fired"
    return last + (schedule.every or timedelta(0)) + schedule.jitter * share(name), "its interval is over"


def share(name: str) -> float:
    """A number in [0, 1), always the same for a name: spreads apps that share a schedule."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32


def opening(schedule: Schedule, moment: datetime) -> datetime:
    """The first time from `moment` on at which the window is open."""
    if schedule.window is None:
        return moment
    today = moment.astimezone(schedule.zone).date()
    spans = (_span(schedule.window, today + timedelta(days=n), schedule.zone) for n in range(-2, 9))
    return next(max(start, moment) for start, end in (s for s in spans if s) if moment < end)


def _span(window: Window, day: date, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """The window that opens on this day; None where none does, or where a change of clocks swallowed it."""
    if day.weekday() not in window.days:
        return None
    start, end = _at(day, window.start, zone), _at(day, window.end, zone)
    return (start, end) if start < end else None


def _at(day: date, minute: int, zone: tzinfo) -> datetime:
    """Wall time of a day as a point in time; above 1440 it lies on the next day."""
    days, rest = divmod(minute, 24 * 60)
    wall = datetime.combine(day + timedelta(days=days), datetime.min.time()) + timedelta(minutes=rest)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def firings(cron: Cron, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """The times after `after` at which the line fires. A wall time that a change of clocks skips fires an hour on; one
    that it repeats fires once."""
    first = after.astimezone(zone).date()
    for day in (first + timedelta(days=n) for n in range(-1, FAR)):
        if cron.fires_on(day):
            times = (_at(day, hour * 60 + minute, zone) for hour in cron.hours for minute in cron.minutes)
            yield from (time for time in times if time > after)


FIRST_RETRY, LAST_RETRY = timedelta(minutes=15), timedelta(days=1)


def again_after(failures: int, ended: datetime) -> datetime:
    """When an app whose last rotations came to nothing may be begun again: 15 min, 30 min, ... a day after the end."""
    doubled: int = 2 ** min(max(failures - 1, 0), 10)
    return ended + min(LAST_RETRY, FIRST_RETRY * doubled)
