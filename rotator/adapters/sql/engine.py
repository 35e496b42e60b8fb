"""Engines: how a connection is opened and a transaction begun, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url

from rotator.adapters.sql import files, guard
from rotator.domain.errors import ConfigError
from rotator.domain.secret import Secret

EXAMPLES = "sqlite:////var/lib/rotator/rotator.db or postgresql+psycopg://rotator@db.example.com/rotator"


def parse_url(url: str) -> URL:
    """Raises ConfigError for anything but the two databases, and for a password in the URL (which is not repeated)."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise ConfigError("not a database URL", fix=f"write {EXAMPLES}", where="database.url") from None
    if parsed.password is not None or "password" in parsed.query:
        raise ConfigError(
            "a password stands in the database URL",
            fix="move it to a file and name it as `password_file`",
            where="database.url",
        )
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ConfigError(f"unknown database {parsed.drivername!r}", fix=f"write {EXAMPLES}", where="database.url")
    if parsed.drivername == "sqlite" and (parsed.query or not parsed.database or parsed.database == ":memory:"):
        raise ConfigError("SQLite needs a file and no options", fix=f"write {EXAMPLES}", where="database.url")
    return parsed


def make_engine(
    url: str, password: Callable[[], Secret] | None, patience: float, mounts: Path = files.MOUNTS
) -> Engine:
    """An engine whose connections are durable and wait at most `patience` seconds for a lock."""
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        return _sqlite(parsed, patience, mounts)
    return _postgres(parsed, password, patience)


def _sqlite(url: URL, patience: float, mounts: Path) -> Engine:
    files.prepare(Path(str(url.database)), mounts)
    arguments = {"check_same_thread": False, "timeout": patience}
    engine = create_engine(url, hide_parameters=True, connect_args=arguments, pool_timeout=patience, max_overflow=25)

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where `begun` says, never by the driver's guess
        for pragma in (
            f"busy_timeout={int(patience * 1000)}",  # first: the others may have to wait
            "journal_mode=WAL",
            "synchronous=FULL",  # with NORMAL a committed row may be lost at power loss
            "foreign_keys=ON",
            "recursive_triggers=ON",  # else INSERT OR REPLACE deletes without firing a trigger
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        guard.protect(connection)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A plain BEGIN that reads and then writes cannot wait for its turn: IMMEDIATE is not optional.
        readonly = connection.get_execution_options().get("readonly")
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine


def _postgres(url: URL, password: Callable[[], Secret] | None, patience: float) -> Engine:
    # No prepared statements: they break behind a transaction pooler.
    arguments = {"connect_timeout": max(2, int(patience)), "prepare_threshold": None, "application_name": "rotator"}
    try:
        engine = create_engine(
            url, hide_parameters=True, connect_args=arguments, pool_timeout=patience, max_overflow=25
        )
    except ModuleNotFoundError:
        raise ConfigError(
            "the PostgreSQL driver is not installed", fix="install `rotator[postgres]`", where="database.url"
        ) from None
    if password is not None:

        @event.listens_for(engine, "do_connect")
        def connecting(_dialect: object, _record: object, _args: object, parameters: dict[str, Any]) -> None:
            parameters["password"] = password().reveal()

    # A read sees one snapshot, whatever others commit meanwhile.
    begin_read = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
    wait = max(1, int(patience * 1000))
    limits = f"SET LOCAL lock_timeout = {wait}; SET LOCAL statement_timeout = {2 * wait}"
    # A process that is frozen inside a transaction would lock the head of the chain, and with it everybody out.
    limits += f"; SET LOCAL idle_in_transaction_session_timeout = {wait // 2}"
    begin_write = f"SET LOCAL synchronous_commit = on; {limits}"  # one round trip, and safe behind a pooler

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        readonly = connection.get_execution_options().get("readonly")
        connection.exec_driver_sql(begin_read if readonly else begin_write)

    return engine
