"""The guard of our own SQLite connections: what the triggers refuse, and the ways round the triggers."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from rotator.adapters.sql import schema
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.guard import unguarded
from rotator.domain.errors import ConfigError, InvariantBroken
from tests.unit.sql.support import started, trail_of
from tests.unit.sql.test_append_only import BOTH, SQLITE

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

ROUND = {
    "drop a trigger": "DROP TRIGGER audit_events_no_update",
    "drop the table": "DROP TABLE audit_events",
    "rename the table": "ALTER TABLE audit_events RENAME TO other",
    "a column more": "ALTER TABLE audit_events ADD COLUMN mine TEXT",
    "a trigger that swallows rows": (
        "CREATE TRIGGER mine BEFORE INSERT ON audit_events BEGIN SELECT RAISE(IGNORE); END"
    ),
    "the same, temporary": (
        "CREATE TEMP TRIGGER mine BEFORE INSERT ON audit_events BEGIN SELECT RAISE(IGNORE); END"
    ),
    "a table in its place": "CREATE TEMP TABLE audit_events (seq INTEGER)",
    "a view in its place": "CREATE TEMP VIEW audit_head AS SELECT 1 AS id, 0 AS seq, '' AS hash",
    "writable schema": "PRAGMA writable_schema = ON",
    "the schema's own table": "UPDATE sqlite_master SET sql = '' WHERE name = 'audit_events_no_update'",
    "rows out of the schema": "DELETE FROM sqlite_master WHERE type = 'trigger'",
    "another database": "ATTACH DATABASE ':memory:' AS other",
    "triggers that do not fire": "PRAGMA recursive_triggers = OFF",
    "no sync": "PRAGMA synchronous = OFF",
    "code from a file": "SELECT load_extension('evil')",
}


@pytest.mark.parametrize("name", [*ROUND, *BOTH, *SQLITE])
def test_our_own_connections_can_neither_change_the_trail_nor_disarm_it(database: Database, name: str) -> None:
    """Whatever text reaches our connection, by whatever mistake: refused, and the trail goes on as it was."""
    started(database)

    def work(connection: Connection) -> None:
        connection.exec_driver_sql({**ROUND, **BOTH, **SQLITE}[name])

    with pytest.raises((InvariantBroken, ConfigError)):
        database.write(work)
    schema.check(database)
    assert [row["seq"] for row in trail_of(database).history()] == [1]
    assert trail_of(database).verify_chain().ok


@pytest.mark.parametrize("name", ["drop a trigger", "a column more", "a trigger that swallows rows"])
def test_without_the_guard_the_ways_round_the_triggers_are_open(database: Database, name: str) -> None:
    """The test above would see it: where the guard is lifted, the statement does what it says."""

    def work(connection: Connection) -> list[tuple[object, ...]]:
        with unguarded(connection):
            connection.exec_driver_sql(ROUND[name])
        return [tuple(row) for row in connection.exec_driver_sql("SELECT name, sql FROM sqlite_master")]

    before = database.read(lambda c: [tuple(row) for row in c.exec_driver_sql("SELECT name, sql FROM sqlite_master")])
    assert database.write(work) != before


def test_the_guard_is_back_after_an_upgrade(database: Database, tmp_path: Path) -> None:
    """An upgrade needs the whole schema for a moment; the same connection is guarded again afterwards."""
    schema.upgrade(database)
    with pytest.raises(InvariantBroken, match="SQLITE_AUTH"):
        database.write(lambda connection: connection.exec_driver_sql(ROUND["drop a trigger"]))
    assert list(tmp_path.glob("rotator.db"))
