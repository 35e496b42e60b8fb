"""The audit trail can be added to, and nothing else, by any statement."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from rotator.adapters.sql import schema
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.tables import audit_events
from rotator.domain.errors import InvariantBroken
from tests.contract.ledger_ports import open_database
from tests.unit.sql.support import raw, started, trail_of, unprotected

COLUMNS = ", ".join(column.name for column in audit_events.c)
# The same row again, as the next one in the numbers or over itself.
AGAIN = f"INTO audit_events ({COLUMNS}) SELECT {COLUMNS} FROM audit_events WHERE seq = 1"  # noqa: S608 - constants
NEW = COLUMNS.replace("seq, event_id", "{seq}, 'other'")
NEXT = f"INSERT INTO audit_events ({COLUMNS}) SELECT {NEW} FROM audit_events WHERE seq = 1"  # noqa: S608 - constants
LINKED = NEXT.replace("prev_hash, hash FROM", "hash, hash FROM")

BOTH = {
    "update": "UPDATE audit_events SET reason = 'edited' WHERE seq = 1",
    "update of a key": "UPDATE audit_events SET seq = 9 WHERE seq = 1",
    "delete": "DELETE FROM audit_events WHERE seq = 1",
    "upsert": f"INSERT {AGAIN} ON CONFLICT (seq) DO UPDATE SET reason = 'edited'",
    "a gap": NEXT.format(seq=7),
    "a gap with the right link": LINKED.format(seq=7),
    "a row before the first": NEXT.format(seq=0),
    "a next row that does not link": NEXT.format(seq=2),
}
SQLITE = {
    "update or replace": "UPDATE OR REPLACE audit_events SET seq = 1 WHERE seq = 1",
    "insert or replace": f"INSERT OR REPLACE {AGAIN}",
    "replace": f"REPLACE {AGAIN}",
}
POSTGRES = {
    "truncate": "TRUNCATE audit_events",
    "truncate with all that hangs on it": "TRUNCATE audit_events CASCADE",
}


def check_refused(database: Database, url: str, *statements: str) -> None:
    """Runs them as a stranger; nothing may have changed."""
    started(database)
    before = list(trail_of(database).history())
    with pytest.raises(DBAPIError):
        raw(url, *statements)
    assert list(trail_of(database).history()) == before
    assert trail_of(database).verify_chain().ok


@pytest.mark.parametrize("name", BOTH)
def test_no_statement_changes_a_row_of_the_trail(database: Database, url: str, name: str) -> None:
    """Neither update nor delete nor a way round them, on both databases."""
    check_refused(database, url, BOTH[name])


@pytest.mark.parametrize("pragma", ["recursive_triggers = OFF", "recursive_triggers = ON"])
@pytest.mark.parametrize("name", SQLITE)
def test_no_replace_of_sqlite_changes_a_row(sqlite_url: str, name: str, pragma: str) -> None:
    """INSERT OR REPLACE walks past a delete trigger where recursive_triggers is off; the insert guard stops it."""
    database = open_database(sqlite_url)
    check_refused(database, sqlite_url, f"PRAGMA {pragma}", SQLITE[name])
    database.close()


@pytest.mark.needs("postgres")
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
@pytest.mark.parametrize("name", [*POSTGRES, *BOTH])
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_no_statement_of_postgres_changes_a_row(database: Database, url: str, name: str, role: str) -> None:
    """TRUNCATE neither, and `session_replication_role = replica` silences no trigger of ours."""
    check_refused(database, url, f"SET session_replication_role = {role}", {**POSTGRES, **BOTH}[name])


def test_the_statements_would_work_without_the_triggers(database: Database, url: str) -> None:
    """The tests above would see a change: with the triggers gone, the same statements change rows."""
    started(database)
    unprotected(url, BOTH["update"], BOTH["a gap"], BOTH["delete"])
    assert [row["seq"] for row in trail_of(database).history()] == [7]


def test_a_missing_trigger_stops_the_start(database: Database, url: str) -> None:
    """`check` names the trigger that is gone, and an upgrade puts it back."""
    unprotected(url)
    with pytest.raises(InvariantBroken, match="audit_events_no_update") as caught:
        schema.check(database)
    assert "audit verify" in caught.value.fix
    schema.upgrade(database)
    schema.check(database)


@pytest.mark.needs("postgres")
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_trigger_that_can_be_silenced_stops_the_start(database: Database, url: str) -> None:
    """A trigger that is enabled, but not always, counts as missing."""
    raw(url, "ALTER TABLE audit_events ENABLE TRIGGER audit_events_no_update")
    with pytest.raises(InvariantBroken, match="audit_events_no_update"):
        schema.check(database)
