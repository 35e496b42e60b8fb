"""How an app stands, in words and in a code: `status`, systemd's line and metrics say the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rotator.config.when import parse_cron, parse_window
from rotator.daemon.telling import line
from rotator.domain.pause import Pause, Scope
from rotator.domain.policy import Outage, Schedule, due
from rotator.domain.rotation import Rotation
from rotator.domain.standing import Failures, Standing, closed, opened
from rotator.domain.words import State, Trigger, Why
from tests.contract.ledger_ports import CONSUMER, TARGET, WHO, opening
from tests.unit.policy.test_due import at

MONTH = Schedule(every=timedelta(days=30), max_age=timedelta(days=90), catch_up=timedelta(hours=1))
SUNDAYS = replace(MONTH, window=parse_window("Sun 02:00-05:00"))
LAST = at("2026-10-01T00:00")  # the next is due from Saturday, 31 October


def stands(schedule: Schedule, now: str, last: datetime | None = LAST, **more: object) -> Standing:
    """How an app of this schedule stands at this time."""
    outage = more.pop("outage", None)
    told = due(schedule, "billing", last, at(now), outage)  # type: ignore[arg-type]
    return closed(told, at(now), **more)  # type: ignore[arg-type]


def row(state: State, **more: object) -> Rotation:
    """An open rotation in this state."""
    made = Rotation(id="r1", app="billing", org="acme", consumer=CONSUMER, target=TARGET, policy=opening().policy,
                    who=WHO, trigger=Trigger.SCHEDULED, state=state)  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


OUT = Outage(at("2026-10-30T00:00"), at("2026-11-01T12:00"))
FAILED = Failures(3, at("2026-10-31T00:20"))


@pytest.mark.parametrize(("found", "code", "words", "now", "overdue"), [
    (stands(MONTH, "2026-10-02T00:00"), Why.INTERVAL, "its interval ends at 2026-10-31 00:00Z", False, False),
    (stands(MONTH, "2026-11-01T00:00"), Why.INTERVAL, "its interval is over", True, True),
    (stands(MONTH, "2026-11-01T00:00", None), Why.NEVER, "never rotated", True, False),
    (stands(MONTH, "2027-01-01T00:00", at("2026-09-01T00:00")), Why.INTERVAL, "its interval is over", True, True),
    (stands(SUNDAYS, "2026-10-31T12:00"), Why.WINDOW, "waits for its window at 2026-11-01 02:00Z", False, False),
    (stands(SUNDAYS, "2026-11-02T12:00"), Why.MISSED, "missed its window, waits for the next at", False, True),
    (stands(SUNDAYS, "2026-11-02T12:00", None), Why.WINDOW, "never rotated; waits for its window at", False, False),
    (stands(SUNDAYS, "2026-12-31T12:00", at("2026-09-01T00:00")), Why.MAX_AGE, "older than max_age", True, True),
    (stands(replace(MONTH, every=None, cron=parse_cron("0 3 1 * *")), "2026-10-02T00:00"), Why.CRON,
     "its cron line fired", True, True),
    (stands(replace(MONTH, jitter=timedelta(days=5)), "2026-10-31T00:01"), Why.SPREAD, "turn within the jitter", False,
     False),
    (stands(MONTH, "2026-11-01T12:00", outage=OUT), Why.CATCH_UP, "catch-up at 2026-11-01 12:", False, True),
    (stands(MONTH, "2026-10-31T00:30", failures=FAILED), Why.BACKOFF,
     "its interval is over; it failed 3 times: tried again at 2026-10-31 01:20Z", False, True),
    (stands(MONTH, "2026-10-31T01:20", failures=FAILED), Why.INTERVAL, "its interval is over", True, True),
    (stands(MONTH, "2026-11-01T00:00", limit="the org takes no more calls"), Why.LIMIT, "takes no more calls", False,
     True),
    (stands(MONTH, "2026-11-01T00:00", pause=Pause(Scope.ORG, "acme", "ann", "freeze", LAST, at("2026-12-01T00:00"))),
     Why.PAUSED, "paused with the org acme by ann until 2026-12-01 00:00Z: freeze", False, True),
    (stands(MONTH, "2026-09-01T00:00"), Why.CLOCK, "the clock of the database was set back", False, True),
    (opened(row(State.HELD, message="live differs from primary")), Why.HELD, "held: live differs from primary", False,
     False),
    (opened(row(State.WAITING, message="Vault is sealed", next_at=at("2026-11-01T00:00"))), Why.WAITING,
     "waiting: Vault is sealed; goes on at 2026-11-01 00:00Z", False, False),
    (opened(row(State.OVERLAP, overlap_until=at("2026-11-02T00:00"))), Why.OVERLAP, "until 2026-11-02 00:00Z", False,
     False),
    (opened(row(State.UNPROVEN)), Why.UNPROVEN, "all done but not proven", False, False),
])  # fmt: skip
def test_each_standing_has_a_code_and_says_why(
    found: Standing, code: Why, words: str, now: bool, overdue: bool
) -> None:
    """Next, overdue and why, for people and for programs."""
    assert (found.code, found.now, found.overdue) == (code, now, overdue)
    assert words in found.words


def test_systemd_is_told_who_needs_a_human_what_is_late_and_what_comes_next() -> None:
    """Counts by reason; an app whose rotation is open counts as open only."""
    standings = {
        "late": stands(SUNDAYS, "2026-11-02T12:00"), "backed": stands(MONTH, "2026-10-31T00:30", failures=FAILED),
        "early": stands(MONTH, "2026-10-02T00:00"), "billing": stands(MONTH, "2026-11-01T00:00"),
    }  # fmt: skip
    told = line(5, 1, 0, standings, [row(State.HELD)])
    assert told == ("5 apps, 1 at hand, 0 in work; 1 held; 2 overdue (backoff 1, missed_window 1);"
                    " next early at 2026-10-31 00:00Z")  # fmt: skip
    assert line(0, 0, 0, {}, []) == "0 apps, 0 at hand, 0 in work"


def test_what_is_beyond_its_catch_up_time_is_due() -> None:
    """An hour after the outage nothing waits for its turn any more."""
    found = stands(MONTH, "2026-11-01T13:00", outage=OUT)
    assert (found.code, found.now, found.overdue) == (Why.INTERVAL, True, True)
    assert datetime(2026, 11, 1, 12, tzinfo=UTC) <= (found.at or LAST) < datetime(2026, 11, 1, 13, tzinfo=UTC)
