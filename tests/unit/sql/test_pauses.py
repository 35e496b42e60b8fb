"""Pauses in the database."""

from __future__ import annotations

from datetime import timedelta

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.pauses import Pauses
from rotator.adapters.sql.survey import survey
from rotator.domain.pause import Pause, Scope, pause_of
from rotator.domain.rotation import Who
from tests.contract.ledger_ports import CONTEXT, MovedTime, open_database
from tests.unit.sql.support import trail_of

ANN, BOB = Who("ann", "cli", "audit"), Who("bob", "cli")


def test_a_pause_lasts_until_it_is_lifted(database: Database) -> None:
    """It is in force; lifted once, and then there is nothing to lift. Two rows in the trail."""
    pauses = Pauses(database, CONTEXT)
    begun = pauses.begin(Scope.APP, "billing", "acme", ANN)
    assert survey(database).pauses == (begun,)
    assert pauses.lift(Scope.APP, "billing", "acme", BOB) == begun
    assert (pauses.lift(Scope.APP, "billing", "acme", BOB), survey(database).pauses) == (None, ())
    told = [(row["step"], row["actor"], row["app"], row["org"]) for row in trail_of(database).history()]
    assert told == [("pause", "ann", "billing", "acme"), ("resume", "bob", "billing", "acme")]


def test_a_second_pause_takes_the_place_of_the_first(database: Database) -> None:
    """Of the same scope; another scope stands beside it."""
    pauses = Pauses(database, CONTEXT)
    pauses.begin(Scope.ORG, "acme", "acme", ANN, 3600)
    later = pauses.begin(Scope.ORG, "acme", "acme", BOB)
    everything = pauses.begin(Scope.ALL, "", "", ANN)
    assert set(survey(database).pauses) == {later, everything}


def test_a_pause_ends_by_the_clock_of_the_database(url: str) -> None:
    """In force until the time has come, not after; then there is nothing to lift."""
    moved = MovedTime()
    database = open_database(url, moved)
    pauses = Pauses(database, CONTEXT)
    pauses.begin(Scope.APP, "billing", "acme", ANN, 60)
    moved.advance(59)
    assert len(survey(database).pauses) == 1
    moved.advance(1)
    assert survey(database).pauses == ()
    assert pauses.lift(Scope.APP, "billing", "acme", BOB) is None
    database.close()


def test_the_widest_pause_is_told(database: Database) -> None:
    """Of app, org and all; an app of another org has only the last, and none of them covers nothing."""
    now = survey(database).now
    made = [Pause(scope, name, "ann", "", now, now + timedelta(hours=1))
            for scope, name in ((Scope.ALL, ""), (Scope.ORG, "acme"), (Scope.APP, "billing"))]  # fmt: skip
    assert pause_of(made, "billing", "acme") == made[0]
    assert pause_of(made[1:], "billing", "acme") == made[1]
    assert pause_of(made[1:], "billing", "bolt") == made[2]
    assert pause_of(made[1:], "orders", "bolt") is None
    assert str(made[1]).startswith("paused with the org acme by ann until ")
