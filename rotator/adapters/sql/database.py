"""One database: its engine, its transactions with bounded patience, and its clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, exc

from rotator.adapters.sql import files
from rotator.adapters.sql.engine import make_engine
from rotator.adapters.sql.failures import translate
from rotator.domain.secret import Secret
from rotator.ports import Clock

T = TypeVar("T")
NOW = {
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
    # clock_timestamp: now() is the transaction's begin, which may lie before the wait for a lock.
    "postgresql": """SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
}


def moment(value: datetime) -> str:
    """The text of a time in the database: RFC 3339, UTC, six decimals, so that text order is time order."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant(text: str) -> datetime:
    """The time of a text that `moment` or the database's clock wrote."""
    return datetime.fromisoformat(text)


class Database:
    """SQLite or PostgreSQL behind one door. Threads may share it; processes must not (open one in each).

    `url` has no password; `password` is asked at each new connection. `clock` paces the retries, `patience` seconds
    in all; `now` replaces the database's clock in tests. Raises ConfigError for a wrong URL or place.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        password: Callable[[], Secret] | None = None,
        now: Callable[[], datetime] | None = None,
        patience: float = 10.0,
        mounts: Path = files.MOUNTS,
    ) -> None:
        self.engine = make_engine(url, password, patience, mounts)
        self.postgres = self.engine.dialect.name == "postgresql"
        self._clock = clock
        self._now = now
        self._patience = patience
        self.admit: Callable[[Connection], None] = lambda connection: None
        """Asked first in each transaction that changes something; it raises where this process must not."""

    def close(self) -> None:
        """Closes all connections; the next use opens new ones."""
        self.engine.dispose()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in one transaction. After a failure that may pass, runs it again within the patience.

        A COMMIT whose answer was lost may have been one that took effect, so `work` must know its own earlier run
        (by an event id). Raises LedgerUnavailable, ConfigError, InvariantBroken, and what `admit` and `work` raise.
        """

        def admitted(connection: Connection) -> T:
            self.admit(connection)
            return work(connection)

        return self._run(admitted, readonly=False)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` on one snapshot. Raises as `write`."""
        return self._run(work, readonly=True)

    def now(self, connection: Connection) -> datetime:
        """The database's clock."""
        if self._now is not None:
            return self._now()
        return instant(str(connection.exec_driver_sql(NOW[connection.dialect.name]).scalar_one()))

    def _run(self, work: Callable[[Connection], T], *, readonly: bool) -> T:
        end = self._clock.monotonic() + self._patience
        pause = 0.02
        while True:
            try:
                with self.engine.connect().execution_options(readonly=readonly) as connection, connection.begin():
                    return work(connection)
            except (
                exc.SQLAlchemyError,
                sqlite3.Error,
                ModuleNotFoundError,
            ) as error:
                failure = translate(error)  # sqlite3.Error: a PRAGMA of a new connection
            if not failure.again or self._clock.monotonic() >= end:
                raise failure.error from None
            self._clock.sleep(pause * (0.5 + self._clock.jitter()))
            pause = min(pause * 2, 1.0)
