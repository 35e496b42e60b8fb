"""What is due, and why. Pure: times come in, a time goes out; nothing here looks at a clock."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from rotator.domain.calendar import Cron, Window, firings, spans
from rotator.domain.words import Why

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an app's rotations are due. `every` is None where `cron` says when."""

    every: timedelta | None
    max_age: timedelta
    cron: Cron | None = None
    window: Window | None = None
    zone: tzinfo = UTC
    jitter: timedelta = NOTHING  # spreads apps that share a schedule, within the window
    min_interval: timedelta = NOTHING  # never two routine rotations within it
    catch_up: timedelta = NOTHING  # what an outage left undone is spread over so much, or its own length if shorter


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which nobody looked for what is due."""

    gone: datetime
    back: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """When the next rotation may begin (in the past: it should have), and why then."""

    at: datetime
    code: Why
    why: str
    now: bool  # it is due
    overdue: bool  # its first chance has passed
    since: datetime | None = None  # overdue since, where that is known


@dataclass(frozen=True, slots=True)
class _Turn:
    """An app's own time in one window; `end` is None where there is no window."""

    at: datetime
    end: datetime | None


def due(schedule: Schedule, name: str, last: datetime | None, now: datetime, outage: Outage | None = None) -> Due:
    """When the app `name`, last rotated at `last` (None: never), is due, seen from `now`. `outage`: the last one."""
    if last is None:
        turn = _turn(schedule, now, now, NOTHING, 0.0)
        return _told(turn.at, Why.NEVER if turn.at <= now else Why.WINDOW, "never rotated", now)
    cause, reason, wanted = _wanted(schedule, last)
    if last > now + max(schedule.min_interval, timedelta(hours=1)):
        return Due(wanted, Why.CLOCK, f"its last rotation lies in the future ({stamp(last)}): the clock of the database"
                   " was set back", now=False, overdue=True)  # fmt: skip
    first = _turn(schedule, wanted, wanted, schedule.jitter, share(name))
    missed = first.end is not None and first.end <= now
    late = outage if outage is not None and first.at < outage.back else None
    turn = _caught_up(schedule, name, wanted, first, late, now) if late else (
        _turn(schedule, wanted, now, schedule.jitter, share(name)))  # fmt: skip
    limit = _limit(schedule, name, last, outage)
    if limit < turn.at:
        again = limit > now and last + schedule.max_age < limit
        return _told(limit, Why.CATCH_UP if again else Why.MAX_AGE, "older than max_age", now, first.at)
    waits = cause if wanted > now else Why.MISSED if missed else Why.CATCH_UP if late else (
        Why.WINDOW if turn.at - wanted > schedule.jitter else Why.SPREAD)  # fmt: skip
    return _told(turn.at, cause if turn.at <= now else waits, reason, now, first.at)


def _wanted(schedule: Schedule, last: datetime) -> tuple[Why, str, datetime]:
    """What asks for the next rotation, and when, whatever the window."""
    floor = last + schedule.min_interval
    if schedule.cron is not None:
        return Why.CRON, "its cron line fired", max(floor, next(firings(schedule.cron, schedule.zone, last)))
    return Why.INTERVAL, "its interval is over", max(floor, last + (schedule.every or NOTHING))


def _limit(schedule: Schedule, name: str, last: datetime, outage: Outage | None) -> datetime:
    """When max_age beats the window. What grew too old in an outage comes first, in its first quarter."""
    limit = last + max(schedule.max_age, schedule.min_interval)
    if outage is None or limit >= outage.back:
        return limit
    return outage.back + min(schedule.catch_up, outage.back - outage.gone) * (share(name) / 4)


def _caught_up(
    schedule: Schedule, name: str, wanted: datetime, first: _Turn, outage: Outage, now: datetime
) -> _Turn:
    """The outage is played again, faster: what waits longest comes first, and what was due at once is spread."""
    length = outage.back - outage.gone
    waited = max(NOTHING, first.at - outage.gone) / length if length else 0.0
    place = (2 * waited + share(name)) / 3
    return _turn(schedule, max(wanted, outage.back), now, min(schedule.catch_up, length), place)


def _turn(schedule: Schedule, earliest: datetime, now: datetime, spread: timedelta, place: float) -> _Turn:
    """The app's time in the first window from `earliest` on that is not over at `now`: `place`, from 0 to below 1, of
    the spread, as far as the window lets it."""
    if schedule.window is None:
        return _Turn(earliest + spread * place, None)
    start, end = next(spans(schedule.window, schedule.zone, max(earliest, now)))
    opens = max(start, earliest)
    return _Turn(opens + min(spread, end - opens) * place, end)


_WAITS = {
    Why.INTERVAL: "its interval ends at {at}",
    Why.CRON: "its cron line fires at {at}",
    Why.MAX_AGE: "{reason} at {at}",
    Why.SPREAD: "{reason}; has its turn within the jitter at {at}",
    Why.WINDOW: "{reason}; waits for its window at {at}",
    Why.MISSED: "{reason}; missed its window, waits for the next at {at}",
    Why.CATCH_UP: "{reason}; nobody was there to rotate it: catch-up at {at}",
}


def _told(at: datetime, code: Why, reason: str, now: datetime, first: datetime | None = None) -> Due:
    """`first`: its first chance, where it was rotated before."""
    since = min(first, at) if first is not None and min(first, at) < now else None
    words = reason if at <= now else _WAITS[code].format(reason=reason, at=stamp(at))
    return Due(at, code, words, at <= now, since is not None, since)


def share(name: str) -> float:
    """A number in [0, 1), always the same for a name: spreads apps that share a schedule."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:3]) / 2**24


def stamp(moment: datetime) -> str:
    """A time in words for people, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"


FIRST_RETRY, LAST_RETRY = timedelta(minutes=15), timedelta(days=1)


def again_after(failures: int, ended: datetime) -> datetime:
    """When an app whose last rotations came to nothing may be begun again: 15 min, 30 min, ... a day after the end."""
    doubled: int = 2 ** min(max(failures - 1, 0), 10)
    return ended + min(LAST_RETRY, FIRST_RETRY * doubled)
