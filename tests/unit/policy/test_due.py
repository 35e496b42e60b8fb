"""What is due, and why: pure functions, times in and times out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from rotator.config.when import parse_cron, parse_window
from rotator.domain.calendar import firings, spans
from rotator.domain.policy import Schedule, again_after, due, share

BERLIN = ZoneInfo("Europe/Berlin")
MONTH = Schedule(every=timedelta(days=30), max_age=timedelta(days=90))
SUNDAYS = Schedule(
    every=timedelta(days=30), max_age=timedelta(days=90), window=parse_window("Sun 02:00-05:00"), zone=BERLIN
)


def opening(schedule: Schedule, moment: datetime) -> datetime:
    """The first time from `moment` on at which the schedule's window is open."""
    assert schedule.window is not None
    return max(moment, next(spans(schedule.window, schedule.zone, moment))[0])


def at(text: str) -> datetime:
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_app_never_rotated_is_due_at_first_sight() -> None:
    """Without a window: now, and not overdue."""
    told = due(MONTH, "billing", None, at("2026-11-24T09:00"))
    assert (told.now, told.overdue, told.at) == (True, False, at("2026-11-24T09:00"))


def test_an_app_never_rotated_waits_for_its_window() -> None:
    """With a window: at its next opening, in the window's zone (Berlin is an hour ahead in winter)."""
    told = due(SUNDAYS, "billing", None, at("2026-11-24T09:00"))
    assert (told.now, told.at) == (False, at("2026-11-29T01:00"))
    assert due(SUNDAYS, "billing", None, at("2026-11-29T03:59")).now
    assert not due(SUNDAYS, "billing", None, at("2026-11-29T04:00")).now


def test_the_interval_counts_from_the_last_rotation() -> None:
    """One second before: not due. From then on: due, and a moment later overdue."""
    last = at("2026-10-01T00:00")
    before = due(MONTH, "billing", last, at("2026-10-30T23:59:59"))
    assert (before.now, before.at) == (False, at("2026-10-31T00:00"))
    assert due(MONTH, "billing", last, at("2026-10-31T00:00")).now
    assert due(MONTH, "billing", last, at("2026-10-31T00:00")).overdue is False
    assert due(MONTH, "billing", last, at("2026-10-31T00:01")).overdue is True


def test_a_missed_window_waits_for_the_next_and_is_overdue() -> None:
    """Its Sunday passed with nobody there: not now, but next Sunday, and said to be overdue."""
    last = at("2026-10-01T00:00")  # due from Saturday, 31 October
    assert due(SUNDAYS, "billing", last, at("2026-10-31T12:00")).at == at("2026-11-01T01:00")
    told = due(SUNDAYS, "billing", last, at("2026-11-02T12:00"))
    assert (told.now, told.overdue, told.at) == (False, True, at("2026-11-08T01:00"))
    assert told.since == at("2026-11-01T01:00"), "overdue counts from the window that was missed"
    assert "missed its window" in told.why


def test_max_age_beats_the_window() -> None:
    """Older than max_age on a Tuesday: due at once, although the window is shut."""
    last = at("2026-08-26T09:00")
    told = due(SUNDAYS, "billing", last, at("2026-11-24T09:00"))
    assert (told.now, told.why) == (True, "older than max_age")
    assert not due(SUNDAYS, "billing", last, at("2026-11-24T08:59")).now


def test_a_max_age_shorter_than_the_interval_wins() -> None:
    """max_age of a week and every 30 days: due after a week."""
    short = Schedule(every=timedelta(days=30), max_age=timedelta(days=7))
    assert due(short, "billing", at("2026-11-01T00:00"), at("2026-11-08T00:00")).now
    assert not due(short, "billing", at("2026-11-01T00:00"), at("2026-11-07T23:59")).now


def test_a_cron_line_fires_after_the_last_rotation() -> None:
    """At three on the first of the month, Berlin time: summer and winter time are both right."""
    schedule = Schedule(every=None, cron=parse_cron("0 3 1 * *"), max_age=timedelta(days=400), zone=BERLIN)
    assert due(schedule, "billing", at("2026-10-02T00:00"), at("2026-10-31T00:00")).at == at("2026-11-01T02:00")
    assert due(schedule, "billing", at("2026-09-02T00:00"), at("2026-09-03T00:00")).at == at("2026-10-01T01:00")
    assert due(schedule, "billing", at("2026-10-02T00:00"), at("2026-11-01T02:00")).now


def test_an_hour_that_the_clocks_skip_or_repeat_fires_once() -> None:
    """02:30 on 28 March 2027 does not exist in Berlin: it fires an hour on. On 31 October it comes twice, and
    fires once."""
    cron = parse_cron("30 2 * * *")
    spring = firings(cron, BERLIN, at("2027-03-27T12:00"))
    assert [next(spring), next(spring)] == [at("2027-03-28T01:30"), at("2027-03-29T00:30")]
    autumn = firings(cron, BERLIN, at("2027-10-30T12:00"))
    assert [next(autumn), next(autumn)] == [at("2027-10-31T00:30"), at("2027-11-01T01:30")]


def test_a_window_over_midnight_is_open_on_both_sides() -> None:
    """Fri 22:00-04:00: open on Saturday at three, shut on Saturday at five."""
    schedule = Schedule(every=timedelta(days=1), max_age=timedelta(days=9), window=parse_window("Fri 22:00-04:00"))
    saturday = at("2026-11-28T03:00")
    assert opening(schedule, saturday) == saturday
    assert opening(schedule, at("2026-11-28T05:00")) == at("2026-12-04T22:00")


def test_jitter_spreads_apps_and_never_moves_one() -> None:
    """The same name always gets the same share of the jitter; many names are spread over all of it."""
    schedule = Schedule(every=timedelta(days=30), max_age=timedelta(days=90), jitter=timedelta(minutes=30))
    last, now = at("2026-11-01T00:00"), at("2026-11-02T00:00")
    first = due(schedule, "billing", last, now).at
    assert first == due(schedule, "billing", last, now).at
    assert timedelta(0) <= first - at("2026-12-01T00:00") < timedelta(minutes=30)
    shares = [share(f"app{number}") for number in range(200)]
    assert (min(shares) < 0.1, max(shares) > 0.9) == (True, True)


times = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware


@given(now=times, ago=st.none() | st.timedeltas(timedelta(0), timedelta(days=200)))
def test_due_now_means_in_the_window_or_too_old(now: datetime, ago: timedelta | None) -> None:
    """Whatever the times: due now only in an open window or beyond max_age; what is not due lies in the future."""
    last = None if ago is None else now - ago
    told = due(SUNDAYS, "billing", last, now)
    too_old = ago is not None and ago >= SUNDAYS.max_age
    assert told.now == ((opening(SUNDAYS, now) == now and (ago is None or ago >= timedelta(days=30))) or too_old)
    assert told.now or told.at > now


def test_an_app_whose_rotations_fail_is_begun_again_later_and_later() -> None:
    """15 minutes after the first that came to nothing, doubled each time, a day at most."""
    ended = datetime(2026, 11, 24, 12, tzinfo=UTC)
    waits = [again_after(failures, ended) - ended for failures in (1, 2, 3, 8, 1000)]
    assert [wait / timedelta(minutes=15) for wait in waits] == [1, 2, 4, 96, 96]
