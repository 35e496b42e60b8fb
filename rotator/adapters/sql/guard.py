"""What a SQLite connection of ours may do at all: SQLite asks for every statement (sqlite.org/c3ref/set_authorizer).

The triggers of the trail refuse a change; a connection that carries this guard cannot take the triggers away first
either, nor look for a way round them: no DROP, ALTER, CREATE, ATTACH, `PRAGMA writable_schema`, temporary table or
trigger. An upgrade lifts it for its own transaction. Somebody else's connection carries none: see the anchors.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

TRAIL = "audit_events"
_READING = frozenset({
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT,
    sqlite3.SQLITE_RECURSIVE,
})  # fmt: skip
_CHANGING = frozenset({sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
# What an inspection of the schema asks, without a value.
_ASKING = frozenset({
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "database_list", "busy_timeout", "journal_mode", "synchronous", "foreign_keys", "recursive_triggers",
    "trusted_schema", "writable_schema", "max_page_count", "page_count", "quick_check", "integrity_check",
})  # fmt: skip
_WITH_NAME = frozenset(name for name in _ASKING if name.endswith(("_info", "_xinfo", "_list", "_check")))


def protect(connection: sqlite3.Connection) -> None:
    """Puts the guard on a connection, after its own PRAGMAs."""
    connection.set_authorizer(_judge)


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Lifts the guard while inside: for upgrades, which must change the schema. Nothing on PostgreSQL."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.set_authorizer(None)
    try:
        yield
    finally:
        protect(driver)


@contextmanager
def pruning(connection: Connection) -> Iterator[None]:
    """Lets DELETE through to the triggers of the trail while inside: for retention, and for nothing else."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.set_authorizer(_judge_pruning)
    try:
        yield
    finally:
        protect(driver)


def _judge_pruning(action: int, first: str | None, second: str | None, database: str | None, within: str | None) -> int:
    deletes = action == sqlite3.SQLITE_DELETE and (first or "").lower() == TRAIL
    return sqlite3.SQLITE_OK if deletes else _judge(action, first, second, database, within)


def _judge(action: int, first: str | None, second: str | None, _database: str | None, _within: str | None) -> int:
    return sqlite3.SQLITE_OK if allowed(action, first or "", second) else sqlite3.SQLITE_DENY


def allowed(action: int, first: str, second: str | None) -> bool:
    """Whether a statement may do this; the arguments are SQLite's (a table and a column, a pragma and its value...)."""
    if action in _READING:
        return True
    if action == sqlite3.SQLITE_FUNCTION:
        return second != "load_extension"
    if action == sqlite3.SQLITE_PRAGMA:
        return first.lower() in _ASKING and (second is None or first.lower() in _WITH_NAME)
    name = first.lower()
    if action == sqlite3.SQLITE_INSERT:
        return not name.startswith("sqlite_")
    return action in _CHANGING and name != TRAIL and not name.startswith("sqlite_")
