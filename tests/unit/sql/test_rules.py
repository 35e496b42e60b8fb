"""Rules that hold for the rows whoever writes: in the ledger, and in the database itself."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.tables import rotations
from rotator.domain.errors import InvariantBroken, Refused, Superseded
from rotator.domain.event import Event
from rotator.domain.secret import Secret
from rotator.domain.words import Phase, State
from tests.contract.ledger_ports import (
    CONSUMER,
    CONTEXT,
    WHO,
    MovedTime,
    intent,
    open_database,
    outcome,
)
from tests.unit.sql.support import raw, started, trail_of


def test_a_refused_commit_leaves_no_trace(database: Database) -> None:
    """Row, intents, lease, facts and trail change together or not at all."""
    ledger, lease, row = started(database)
    before = ledger.read(CONSUMER.org_id, CONSUMER.consumer_id)
    secret = Secret("s3cr3t-of-the-pair")
    with pytest.raises(InvariantBroken) as caught:
        ledger.commit(lease, row, Event("stage", Phase.INTENT, evidence={"pair": secret}), {"tries": 1}, publish_cas=3)
    assert "s3cr3t" not in str(caught.value)
    with pytest.raises(InvariantBroken, match="no sercet"):
        ledger.commit(lease, row, intent("stage"), {"sercet": 1})  # type: ignore[typeddict-unknown-key]
    after = ledger.read(CONSUMER.org_id, CONSUMER.consumer_id)
    assert (after.rotation, after.unknown, after.publish_cas) == (before.rotation, (), -1)
    assert trail_of(database).verify_chain().rows == 1


def test_the_database_itself_refuses_a_second_open_rotation(database: Database, url: str) -> None:
    """One open rotation per consumer holds whoever writes; and no row promotes and abandons at once."""
    ledger, _, row = started(database)
    names = ", ".join(f'"{column.name}"' for column in rotations.c if column.name != "id")
    with pytest.raises(IntegrityError):
        raw(url, f"INSERT INTO rotations (id, {names}) SELECT 'other', {names} FROM rotations")  # noqa: S608 - constants
    with pytest.raises(IntegrityError):
        raw(url, "UPDATE rotations SET promoting = 1, goal = 'abandon'")
    assert ledger.rotations() == (row,)


def test_an_unknown_rotation_is_refused(database: Database) -> None:
    """An operator's command for an id that is not there says so."""
    with pytest.raises(Refused, match="no rotation"):
        ledger_of(database).release("none", WHO)


def test_an_abandoned_rotation_is_never_promoted(database: Database) -> None:
    """Not even by a worker that has seen the abandon."""
    ledger, lease, row = started(database)
    asked = ledger.ask_abandon(row.id, WHO)
    with pytest.raises(Superseded, match="being abandoned"):
        ledger.commit(lease, asked, intent("promote"), {"promoting": True})
    assert ledger.rotation(row.id) == asked


def test_an_end_has_a_time_of_the_database(url: str) -> None:
    """A commit that ends a rotation without saying when gets the database's clock; what it says is kept."""
    moved = MovedTime()
    database = open_database(url, moved)
    ledger, lease, row = started(database)
    moved.advance(60)
    row = ledger.commit(lease, row, outcome("close"), {"state": State.DONE})
    database.close()
    assert row.ended_at == moved.now


def ledger_of(database: Database) -> SqlLedger:
    return SqlLedger(database, CONTEXT)
