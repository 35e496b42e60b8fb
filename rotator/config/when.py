"""Windows and cron lines: the two ways to say when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

DAY_MINUTES = 24 * 60
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WINDOW = re.compile(r"(?:([A-Za-z][A-Za-z,-]*)\s+)?(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)
WINDOW_WANTED = 'must look like "Sun 02:00-05:00", "Mon-Fri 22:00-04:00", "Sat,Sun 00:00-24:00" or "02:00-05:00"'


@dataclass(frozen=True, slots=True)
class Window:
    """When routine work may start: on these weekdays (0 is Monday), from `start` to before `end`.

    Both are minutes of wall time since midnight of the day it opens; `end` is above 1440 where the
    window reaches into the next day.
    """

    days: frozenset[int]
    start: int
    end: int


def parse_window(written: str) -> Window:
    """Read `Sun 02:00-05:00`; an end at or before the start is on the next day. Raises ValueError."""
    match = _WINDOW.fullmatch(written.strip())
    if match is None:
        raise ValueError(WINDOW_WANTED)
    days, *clock = match.groups()
    start_h, start_m, end_h, end_m = map(int, clock)
    start, end = start_h * 60 + start_m, end_h * 60 + end_m
    if max(start_m, end_m) > 59 or start >= DAY_MINUTES or end > DAY_MINUTES or start == end:
        raise ValueError(WINDOW_WANTED)
    return Window(_weekdays(days), start, end if end > start else end + DAY_MINUTES)


def _weekdays(written: str | None) -> frozenset[int]:
    if written is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in written.lower().split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in _DAYS or last not in _DAYS:
            raise ValueError(WINDOW_WANTED)
        length = (_DAYS.index(last) - _DAYS.index(first)) % 7
        days.update((_DAYS.index(first) + n) % 7 for n in range(length + 1))
    return frozenset(days)


@dataclass(frozen=True, slots=True)
class Cron:
    """A five-field cron line, spelled out. Weekdays count from 0 for Monday, whatever the line counted from."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    month_days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool  # both day fields restricted: cron fires when one of them fits

    def fires_on(self, day: date) -> bool:
        """Whether it fires on this day at all."""
        by_month, by_week = day.day in self.month_days, day.weekday() in self.weekdays
        fits = by_month or by_week if self.either_day else by_month and by_week
        return day.month in self.months and fits

    @lru_cache(1024)  # noqa: B019 - frozen, and as many as lines in a configuration
    def shortest_gap(self) -> timedelta | None:
        """The shortest time between two firings in four years of wall time; None where it never fires."""
        times = [hour * 60 + minute for hour in self.hours for minute in self.minutes]
        fired = [n for n in range(4 * 366) if self.fires_on(date(2027, 1, 1) + timedelta(days=n))]
        if not fired:
            return None
        within = [later - earlier for earlier, later in pairwise(times)]
        across = [(later - earlier) * DAY_MINUTES + times[0] - times[-1] for earlier, later in pairwise(fired)]
        return timedelta(minutes=min(within + across, default=4 * 365 * DAY_MINUTES))


@lru_cache(1024)
def parse_cron(written: str) -> Cron:
    """Read five cron fields as people write them (0 and 7 are Sunday, names allowed). Raises ValueError."""
    fields = written.lower().split()
    if len(fields) != 5:
        raise ValueError("must have five fields: minute hour day-of-month month day-of-week")
    minute, hour, month_day, month, weekday = fields
    sundays_first = ("sun", *_DAYS[:6])
    cron = Cron(
        minutes=tuple(sorted(_numbers(minute, "minute", 0, 59))),
        hours=tuple(sorted(_numbers(hour, "hour", 0, 23))),
        month_days=frozenset(_numbers(month_day, "day of month", 1, 31)),
        months=frozenset(_numbers(month, "month", 1, 12, _MONTHS)),
        weekdays=frozenset((n - 1) % 7 for n in _numbers(weekday, "day of week", 0, 7, sundays_first)),
        either_day=not month_day.startswith("*") and not weekday.startswith("*"),
    )
    if cron.shortest_gap() is None:
        raise ValueError("never fires")
    return cron


def _numbers(field: str, what: str, low: int, high: int, names: tuple[str, ...] = ()) -> Iterator[int]:
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            bounds = (low, high)
        else:
            start = _number(first, what, low, high, names)
            end = _number(last, what, low, high, names) if dash else high if slash else start
            bounds = (start, 7 if names[:1] == ("sun",) and end == 0 < start else end)  # fri-sun
        if bounds[0] > bounds[1] or (slash and not re.fullmatch(r"[1-9]\d?", step)):
            raise ValueError(f"has a {what} that cannot be read")
        yield from range(bounds[0], bounds[1] + 1, int(step or 1))


def _number(text: str, what: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text in names:
        return low + names.index(text)
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or not low <= int(text) <= high:
        raise ValueError(f"has a {what} outside {low}-{high}")
    return int(text)
