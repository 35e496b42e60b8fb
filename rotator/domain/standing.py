"""How an app stands, in one word for programs and one sentence for people: what is open, next, overdue, and why.

`status`, the daemon's line to systemd and the labels of metrics all come from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from rotator.domain.pause import Pause
from rotator.domain.policy import Due, again_after, stamp
from rotator.domain.rotation import Rotation
from rotator.domain.words import State, Why


@dataclass(frozen=True, slots=True)
class Failures:
    """The rotations of an app that came to nothing since its last good one: how many, and when the last one ended."""

    count: int
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """One app. `at`: when the next rotation may begin, where that is known; for an open one, when it goes on."""

    code: Why
    words: str
    at: datetime | None = None
    now: bool = False  # a routine rotation is to be begun
    overdue: bool = False
    since: datetime | None = None  # overdue since, where that is known


def closed(told: Due, now: datetime, *, pause: Pause | None = None, failures: Failures | None = None,
           limit: str = "") -> Standing:
    """An app that is enabled and has no open rotation. `limit`: why its org takes nothing new now."""
    plain = Standing(told.code, told.why, told.at, told.now, told.overdue, told.since)
    if pause is not None:
        return replace(plain, code=Why.PAUSED, words=str(pause), now=False)
    if not told.now:
        return plain
    again = again_after(failures.count, failures.ended_at) if failures is not None else now
    if failures is not None and now < again:
        times = "once" if failures.count == 1 else f"{failures.count} times"
        words = f"{told.why}; it failed {times}: tried again at {stamp(again)}"
        return replace(plain, code=Why.BACKOFF, words=words, at=again, now=False)
    return replace(plain, code=Why.LIMIT, words=f"{told.why}; {limit}", now=False) if limit else plain


_OPEN = {
    State.RUNNING: (Why.RUNNING, "a rotation is at work"),
    State.OVERLAP: (Why.OVERLAP, "published; the old pair stays valid"),
    State.WAITING: (Why.WAITING, "waits for what is down"),
    State.HELD: (Why.HELD, "held: a human is needed"),
    State.UNPROVEN: (Why.UNPROVEN, "all done but not proven"),
}


def opened(row: Rotation, *, limit: str = "") -> Standing:
    """An app whose rotation is open. `limit`: why its org is left alone now, which no forced rotation minds."""
    if limit and not row.force and row.state in (State.RUNNING, State.WAITING):
        return Standing(Why.WAITING, f"waits: {limit}", row.next_at)
    code, words = _OPEN[row.state]
    until = row.overlap_until if row.state is State.OVERLAP else row.next_at
    if row.message:
        words = f"{row.state}: {row.message}"
    if until is not None:
        words += f" until {stamp(until)}" if row.state is State.OVERLAP and not row.message else (
            f"; goes on at {stamp(until)}")  # fmt: skip
    return Standing(code, words, until)
