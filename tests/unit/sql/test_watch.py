"""The daemons' beat: silence of minutes is a restart, a longer one an outage."""

from __future__ import annotations

from datetime import timedelta

from rotator.adapters.sql.survey import survey
from rotator.adapters.sql.watch import beat
from rotator.domain.policy import Outage
from tests.contract.ledger_ports import START, MovedTime, open_database


def test_a_long_silence_is_an_outage_from_the_last_beat_to_the_next(url: str) -> None:
    """Nine minutes: none. An hour, or a clock that jumps a year ahead: one, and the later takes the place."""
    moved = MovedTime()
    database = open_database(url, moved)
    beat(database)
    moved.advance(9 * 60)
    beat(database)
    assert survey(database).outage is None
    gone = moved.now
    moved.advance(3600)
    beat(database)
    assert survey(database).outage == Outage(gone, gone + timedelta(hours=1))
    moved.advance(60)
    beat(database)
    assert survey(database).outage == Outage(gone, gone + timedelta(hours=1))
    moved.advance(366 * 86400)
    beat(database)
    seen = survey(database)
    assert seen.outage is not None
    assert seen.outage.back - seen.outage.gone == timedelta(days=366)
    assert seen.impatient().outage is None
    database.close()


def test_a_beat_is_wanted_once_a_minute_and_after_a_clock_that_went_back(url: str) -> None:
    """Never looked: at once. Then after a minute; and where the last beat lies in the future, at once, which is no
    outage."""
    moved = MovedTime()
    database = open_database(url, moved)
    assert survey(database).watch.stale(moved.now)
    beat(database)
    stale = [survey(database).watch.stale(START + timedelta(seconds=n)) for n in (0, 59, 60, -1)]
    assert stale == [False, False, True, True]
    moved.advance(-86400)
    beat(database)
    assert (survey(database).outage, survey(database).watch.looked_at) == (None, moved.now)
    database.close()
