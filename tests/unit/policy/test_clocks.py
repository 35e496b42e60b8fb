"""Clocks that jump and clocks that are changed twice a year: what holds of every schedule, window and zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rotator.config.when import parse_cron, parse_window
from rotator.domain.calendar import firings, spans
from rotator.domain.policy import Outage, Schedule, due
from rotator.domain.words import Why

NAMES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran")
ZONES = tuple(ZoneInfo(name) for name in NAMES)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)

times = st.datetimes(datetime(2026, 1, 1), datetime(2032, 3, 2), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
zones = st.sampled_from(ZONES)
windows = st.sampled_from((
    "Sun 02:00-05:00", "02:00-03:00", "02:15-02:45", "Mon-Fri 22:00-04:00", "Sat,Sun 00:00-24:00", "23:59-00:01",
    "Sun 01:30-02:30", "Sat 12:00-11:59",
)).map(parse_window)  # fmt: skip
crons = st.sampled_from((
    "30 2 * * *", "*/15 * * * *", "0 3 1 * *", "0 0 29 2 *", "15,45 1,2,3 * * sun", "0 0 * * 7", "59 23 31 12 *",
)).map(parse_cron)  # fmt: skip
steps = st.timedeltas(timedelta(0), timedelta(days=400))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Any schedule that a configuration may hold."""
    cron = draw(st.none() | crons)
    every = draw(st.timedeltas(timedelta(minutes=1), timedelta(days=90))) if cron is None else None
    return Schedule(
        every=every, cron=cron, window=draw(st.none() | windows), zone=draw(zones),
        max_age=draw(st.timedeltas(SECOND, timedelta(days=90))),
        min_interval=draw(st.timedeltas(timedelta(0), every or timedelta(days=2))),
        jitter=draw(st.timedeltas(timedelta(0), timedelta(days=2))),
        catch_up=draw(st.timedeltas(timedelta(0), timedelta(days=1))),
    )  # fmt: skip


outages = st.none() | st.tuples(times, steps).map(lambda pair: Outage(pair[0], pair[0] + pair[1]))


def is_open(schedule: Schedule, moment: datetime) -> bool:
    """Whether the window, if there is one, is open."""
    return schedule.window is None or next(spans(schedule.window, schedule.zone, moment))[0] <= moment


@given(schedules(), times, steps, outages)
def test_each_due_time_lies_in_the_window_unless_the_secret_is_too_old(
    schedule: Schedule, last: datetime, since: timedelta, outage: Outage | None
) -> None:
    """Whatever the clocks and the outage: an app is begun in an open window, or beyond max_age; what is not due yet is
    due later than now, and then it is due."""
    now = last + since
    told = due(schedule, "billing", last, now, outage)
    assert told.now == (told.at <= now)
    at = now if told.now else told.at
    assert is_open(schedule, at) or at - last >= schedule.max_age
    assert due(schedule, "billing", last, at, outage).now


@given(schedules(), times, steps, outages)
def test_no_app_is_begun_twice_within_its_least_interval(
    schedule: Schedule, last: datetime, since: timedelta, outage: Outage | None
) -> None:
    """Cron line, max_age, outage, jitter, a clock that was set back: nothing comes below it."""
    assert due(schedule, "billing", last, last + since, outage).at - last >= schedule.min_interval
    assert not due(schedule, "billing", last, last - since - SECOND, outage).now


@given(schedules(), times, steps, steps)
def test_a_later_rotation_is_never_due_sooner(
    schedule: Schedule, last: datetime, later: timedelta, since: timedelta
) -> None:
    """Monotone: of two apps with one schedule, the one that was rotated later is not due before the other; its first
    due time comes after its last rotation."""
    first = due(schedule, "billing", last, last)
    second = due(schedule, "billing", last + later, last + later)
    assert first.at <= second.at
    assert first.at > last


@given(schedules(), times, outages)
def test_time_alone_makes_every_app_due(schedule: Schedule, last: datetime, outage: Outage | None) -> None:
    """None is lost: following the told time leads, in a few steps, to a time at which the app is begun."""
    now = last
    for _ in range(4):
        told = due(schedule, "billing", last, now, outage)
        if told.now:
            break
        assert told.at > now
        now = told.at
    assert told.now


@given(crons, zones, times)
@example(parse_cron("15,45 1,2,3 * * sun"), ZoneInfo("Europe/Berlin"), datetime(2027, 3, 27, 20, tzinfo=UTC))
@example(parse_cron("*/15 * * * *"), ZoneInfo("Europe/Berlin"), datetime(2027, 10, 30, 23, tzinfo=UTC))
def test_a_cron_line_fires_in_order_and_never_twice(cron: object, zone: ZoneInfo, after: datetime) -> None:
    """Over an hour that is skipped and one that comes twice: strictly later each time, no wall time twice, and asked
    from any of its firings it goes on with the next."""
    found = list(islice(firings(cron, zone, after), 9))  # type: ignore[arg-type]
    assert len(found) >= 2
    assert found == sorted(set(found))
    assert found[0] > after
    walls = [time.astimezone(zone).replace(tzinfo=None) for time in found]
    assert len(set(walls)) == len(walls)
    assert next(firings(cron, zone, found[0])) == found[1]  # type: ignore[arg-type]


@given(windows, zones, times)
@example(parse_window("02:00-03:00"), ZoneInfo("Europe/Berlin"), datetime(2027, 3, 26, 12, tzinfo=UTC))
def test_a_window_opens_on_each_of_its_days_and_once(window: object, zone: ZoneInfo, moment: datetime) -> None:
    """Also on the day whose clocks swallow it: as many openings as days, each for some time, none before the other."""
    found = spans(window, zone, moment)  # type: ignore[arg-type]
    told = [next(found) for _ in range(9)]
    assert all(start < end for start, end in told)
    assert all(before[0] < after[0] and before[1] < after[1] for before, after in pairwise(told))
    days = [start.astimezone(zone).date() for start, _ in told]
    assert len(set(days)) == 9
    assert all(later - earlier <= timedelta(days=7) for earlier, later in pairwise(days))


def test_a_window_that_the_clocks_swallow_opens_an_hour_on() -> None:
    """02:00 to 03:00 does not exist in Berlin on 28 March 2027: open from three to four."""
    saturday = datetime(2027, 3, 27, 12, tzinfo=UTC)
    opens, shuts = next(spans(parse_window("02:00-03:00"), ZoneInfo("Europe/Berlin"), saturday))
    assert (opens, shuts - opens) == (datetime(2027, 3, 28, 1, tzinfo=UTC), HOUR)


def test_a_leap_day_line_fires_in_leap_years_only() -> None:
    """29 February: 2028, 2032; and over 2100, which has none."""
    line = firings(parse_cron("0 0 29 2 *"), UTC, datetime(2026, 1, 1, tzinfo=UTC))
    assert [next(line).year, next(line).year] == [2028, 2032]
    assert next(firings(parse_cron("0 0 29 2 *"), UTC, datetime(2097, 1, 1, tzinfo=UTC))).year == 2104


MONTH = Schedule(every=30 * DAY, max_age=90 * DAY, min_interval=HOUR, catch_up=HOUR)
FLEET = [f"app{number}" for number in range(2000)]


@pytest.mark.parametrize("down", [timedelta(days=1), timedelta(days=400)], ids=["a day down", "a clock a year ahead"])
def test_what_an_outage_left_undone_is_spread_over_the_time_that_is_configured(down: timedelta) -> None:
    """Two thousand apps that fell due while nobody looked: within the hour after, and never more than a tenth of them
    in one of its twenty parts. A clock that jumps a year ahead makes all too old at once, and is met the same way."""
    gone = datetime(2026, 11, 24, tzinfo=UTC)
    outage = Outage(gone, gone + down)
    lasts = {name: gone - 30 * DAY + min(down, DAY) * number / len(FLEET) for number, name in enumerate(FLEET)}
    told = [due(MONTH, name, lasts[name], outage.back, outage).at - outage.back for name in FLEET]
    assert timedelta(0) <= min(told) <= max(told) < HOUR
    parts = [sum(HOUR * n / 20 <= wait < HOUR * (n + 1) / 20 for wait in told) for n in range(20)]
    assert max(parts) <= len(FLEET) * (0.1 if down == DAY else 0.25)
    assert due(MONTH, FLEET[1999], lasts[FLEET[1999]], outage.back, outage).code in (Why.CATCH_UP, Why.MAX_AGE)


def test_after_an_outage_the_oldest_come_first() -> None:
    """What is older than max_age comes in the first quarter; what fell due first comes, by and large, before what fell
    due last; after a restart of a minute nothing is spread longer than a minute."""
    gone = datetime(2026, 11, 24, tzinfo=UTC)
    outage = Outage(gone, gone + DAY)
    old = [due(MONTH, name, gone - 90 * DAY, outage.back, outage).at - outage.back for name in FLEET]
    assert max(old) < HOUR / 4
    early = [due(MONTH, name, gone - 30 * DAY + SECOND, outage.back, outage).at for name in FLEET]
    late = [due(MONTH, name, gone - 29 * DAY - SECOND, outage.back, outage).at for name in FLEET]
    assert max(early) < min(late)
    short = Outage(gone, gone + timedelta(minutes=1))
    waits = [due(MONTH, name, gone - 30 * DAY + SECOND, short.back, short).at - short.back for name in FLEET]
    assert max(waits) < timedelta(minutes=1)


@given(times, st.timedeltas(2 * HOUR, timedelta(days=4000)))
def test_a_clock_that_was_set_back_is_said_and_nothing_is_begun(last: datetime, back: timedelta) -> None:
    """A rotation that lies in the future: the database's clock is wrong now or was then. Not begun, overdue, said."""
    assume(last - back > datetime(2000, 1, 1, tzinfo=UTC))
    told = due(MONTH, "billing", last, last - back)
    assert (told.code, told.now, told.overdue) == (Why.CLOCK, False, True)
    assert "set back" in told.why
