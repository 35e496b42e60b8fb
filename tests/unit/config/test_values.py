"""Durations, windows and cron lines."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.config.durations import parse_duration, write_duration
from rotator.config.when import Window, parse_cron, parse_window


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [("500ms", 500), ("0s", 0), ("30s", 30_000), ("15m", 900_000), ("24h", 86_400_000), ("30d", 2_592_000_000)],
)
def test_a_duration_is_a_number_and_a_unit(written: str, milliseconds: int) -> None:
    """The units of the contract mean what they say."""
    assert parse_duration(written) == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    "written",
    ["", "30", "s", "1.5h", "-1s", "+1s", "1 h", "1H", "1w", " 1s", "1s\n", "１s", "1s1m", 30, None, True, []],
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    """Nothing is guessed: no bare numbers, fractions, blanks, other units or other digits."""
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(written)


def test_a_duration_no_date_can_hold_is_refused() -> None:
    """A span that would overflow a date later is refused now."""
    with pytest.raises(ValueError, match="100 years"):
        parse_duration("999999999d")


@given(st.integers(0, 999_999_999))
def test_what_is_written_reads_back(milliseconds: int) -> None:
    """Writing a duration loses nothing."""
    span = timedelta(milliseconds=milliseconds)
    assert parse_duration(write_duration(span)) == span


@pytest.mark.parametrize(
    ("written", "days", "start", "end"),
    [
        ("Sun 02:00-05:00", {6}, 120, 300),
        ("02:00-05:00", set(range(7)), 120, 300),
        ("Mon-Fri 22:00-04:00", set(range(5)), 1320, 1680),
        ("sat,SUN 00:00-24:00", {5, 6}, 0, 1440),
        ("Fri-Mon 23:30-00:00", {4, 5, 6, 0}, 1410, 1440),
    ],
)
def test_a_window_has_days_and_a_span_of_wall_time(written: str, days: set[int], start: int, end: int) -> None:
    """Lists and ranges of days (also across the week's end), and spans across midnight."""
    assert parse_window(written) == Window(frozenset(days), start, end)


@pytest.mark.parametrize(
    "written",
    ["Sun", "Sun 2:00-5:00", "Sun 02:00", "Sunday 02:00-05:00", "Sun 02:00-02:00", "24:00-01:00", "01:60-02:00",
     "01:00-24:01", "Mon- 01:00-02:00", "01:00 - 02:00"],
)  # fmt: skip
def test_what_is_no_window_is_refused(written: str) -> None:
    """A window that cannot be read, or that is no span, is refused with an example."""
    with pytest.raises(ValueError, match=r"must look like"):
        parse_window(written)


def test_cron_counts_weekdays_as_people_do() -> None:
    """0 and 7 are Sunday, 1 is Monday, names work: what APScheduler's own crontab reader gets wrong."""
    sunday, monday = date(2026, 11, 29), date(2026, 11, 30)
    for line in ("0 3 * * 0", "0 3 * * 7", "0 3 * * sun"):
        assert parse_cron(line).fires_on(sunday)
        assert not parse_cron(line).fires_on(monday)
    assert parse_cron("0 3 * * 1").fires_on(monday)
    assert parse_cron("0 3 * * fri-sun").weekdays == {4, 5, 6}


def test_cron_fires_when_either_restricted_day_fits() -> None:
    """The old rule of cron: with both day fields restricted, one is enough; with one starred, the other decides."""
    assert parse_cron("0 3 13 * fri").fires_on(date(2026, 11, 27))
    assert parse_cron("0 3 13 * fri").fires_on(date(2026, 12, 13))
    assert not parse_cron("0 3 13 * *").fires_on(date(2026, 11, 27))


@pytest.mark.parametrize(
    ("line", "gap"),
    [
        ("*/15 * * * *", timedelta(minutes=15)),
        ("0 3 * * *", timedelta(days=1)),
        ("0 3 1 * *", timedelta(days=28)),
        ("0 1,23 * * *", timedelta(hours=2)),
        ("30 4 1,15 jan-jun/2 *", timedelta(days=14)),
        ("0 0 29 2 *", timedelta(days=1460)),
    ],
)
def test_the_shortest_gap_of_a_cron_line_is_found(line: str, gap: timedelta) -> None:
    """What an overlap must fit into, February and midnight included."""
    assert parse_cron(line).shortest_gap() == gap


@pytest.mark.parametrize(
    "line",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *",
     "5-1 * * * *", "a * * * *", "@daily", "* * 31 2 *", "1- * * * *"],
)  # fmt: skip
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    """Wrong fields, ranges and steps, and a day that never comes."""
    with pytest.raises(ValueError, match=r"fields|outside|cannot be read|never fires"):
        parse_cron(line)
