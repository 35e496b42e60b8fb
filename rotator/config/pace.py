"""`schedule`, `max_age` and `overlap`: when a pair is rotated, and how long the old one stays valid."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import ValidationInfo, field_validator

from rotator.config.base import Duration, Table, Text, option
from rotator.config.when import Window, parse_cron, parse_window

DEFAULT_EVERY = timedelta(days=30)
LEAST = timedelta(hours=1)
LONGEST_OVERLAP = timedelta(days=29)  # a Rotated pair is gone from its slot after 30 days (check APP-14)


class ScheduleConfig(Table):
    """`schedule`: every so often within a window, or a cron line."""

    every: Duration | None = option(
        None, about="time from one rotation to the next; 30d where cron is not given either", example="30d"
    )
    cron: Text = option("", about="five cron fields, in place of every", example="0 3 1 * *")
    window: Text = option("", about="when routine work may start; empty: at any time", example="Sun 02:00-05:00")
    timezone: Text = option("UTC", about="the zone of window and cron, from the tz database", example="Europe/Berlin")
    jitter: Duration = option(timedelta(minutes=30), about="due times are spread by up to this much, within the window")
    min_interval: Duration | None = option(
        None,
        about="never two routine rotations within it, whatever cron, max_age or a clock say;"
        " unless told half of the shortest interval, 1h at most",
        example="1h",
    )

    @field_validator("every")
    @classmethod
    def _every(cls, every: timedelta | None) -> timedelta | None:
        return every if every is None else some(every)

    @field_validator("cron")
    @classmethod
    def _cron(cls, cron: str, info: ValidationInfo) -> str:
        if cron and info.data.get("every") is not None:
            raise ValueError("stands beside every: give one of the two")
        if cron:
            parse_cron(cron)
        return cron

    @field_validator("window")
    @classmethod
    def _window(cls, window: str) -> str:
        if window:
            parse_window(window)
        return window

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # an unknown name; a path; a folder of the tz database
            raise ValueError("is not a zone of the tz database") from None
        return zone

    @field_validator("min_interval")
    @classmethod
    def _min_interval(cls, shortest: timedelta | None, info: ValidationInfo) -> timedelta | None:
        every = info.data.get("every")
        if shortest is not None and every is not None and shortest > every:
            raise ValueError("must not be longer than every")
        return shortest

    @property
    def least(self) -> timedelta:
        """The shortest time between two routine rotations."""
        return self.min_interval if self.min_interval is not None else min(LEAST, self.shortest_interval / 2)

    @property
    def interval(self) -> timedelta | None:
        """Time between rotations; None where a cron line says when."""
        return None if self.cron else self.every or DEFAULT_EVERY

    @property
    def shortest_interval(self) -> timedelta:
        """The shortest time between two due times: what an overlap must fit into."""
        gap = parse_cron(self.cron).shortest_gap() if self.cron else None
        return gap or self.every or DEFAULT_EVERY

    @property
    def opens(self) -> Window | None:
        """The window, read; None: at any time."""
        return parse_window(self.window) if self.window else None


def some(lasting: timedelta) -> timedelta:
    """Raises ValueError for no time at all."""
    if lasting == timedelta():
        raise ValueError("must be more than nothing")
    return lasting


def between(overlap: timedelta, info: ValidationInfo) -> timedelta:
    """Raises ValueError for an overlap that does not end before the next rotation, or that Salesforce cuts short."""
    if overlap > LONGEST_OVERLAP:
        raise ValueError("is longer than 29d: Salesforce drops a rotated pair after 30 days")
    schedule = info.data.get("schedule")
    if isinstance(schedule, ScheduleConfig) and overlap >= schedule.shortest_interval:
        raise ValueError("must be shorter than the time between two rotations (schedule)")
    return overlap


class OwnConfig(Table):
    """`[orgs.NAME.own]`: the rotator's own pairs, where there is a `spare`."""

    schedule: ScheduleConfig = option(
        ScheduleConfig(), about="when they are due; one after the other", example={"every": "30d"}
    )
    max_age: Duration = option(timedelta(days=90), about="an older secret is due outside the window too")
    overlap: Duration = option(
        timedelta(hours=24), about="how long the old pair stays valid; less than every, at most 29d",
        validate_default=True,
    )  # fmt: skip

    _max_age = field_validator("max_age")(some)
    _overlap = field_validator("overlap")(between)
