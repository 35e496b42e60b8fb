"""The table of database errors: which are worth waiting for, and what the operator is told."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import exc

from rotator.adapters.sql.failures import translate
from rotator.domain.errors import ConfigError, InvariantBroken, LedgerUnavailable, RotatorError


class Foreign(Exception):
    """A driver's error with a code, and a text that must go nowhere."""

    def __init__(self, *, name: str | None = None, state: str | None = None, text: str = "") -> None:
        super().__init__(f"{text} needle")
        self.sqlite_errorname = name
        self.sqlstate = state


def wrapped(foreign: Foreign) -> exc.DBAPIError:
    return exc.OperationalError("SELECT 'needle'", {"secret": "needle"}, foreign)


@pytest.mark.parametrize(
    ("foreign", "kind", "again"),
    [
        (Foreign(name="SQLITE_BUSY_SNAPSHOT"), LedgerUnavailable, True),
        (Foreign(name="SQLITE_FULL"), LedgerUnavailable, False),
        (Foreign(name="SQLITE_IOERR_WRITE"), LedgerUnavailable, False),
        (Foreign(name="SQLITE_READONLY"), ConfigError, False),
        (Foreign(name="SQLITE_CORRUPT"), InvariantBroken, False),
        (Foreign(name="SQLITE_CONSTRAINT_TRIGGER"), InvariantBroken, False),
        (Foreign(state="40P01"), LedgerUnavailable, True),
        (Foreign(state="57P01"), LedgerUnavailable, True),
        (Foreign(state="53100"), LedgerUnavailable, False),
        (Foreign(state="53300"), LedgerUnavailable, True),
        (Foreign(state="55P03"), LedgerUnavailable, True),
        (Foreign(state="25006"), LedgerUnavailable, True),
        (Foreign(state="25P03"), LedgerUnavailable, True),
        (Foreign(state="28P01"), ConfigError, False),
        (Foreign(state="42501"), ConfigError, False),
        (Foreign(state="42P01"), ConfigError, False),
        (Foreign(state="23505"), InvariantBroken, False),
        (Foreign(state="P0001"), InvariantBroken, False),
        (Foreign(text='FATAL: password authentication failed for user "u"'), ConfigError, False),
        (Foreign(text='FATAL: database "x" does not exist'), ConfigError, False),
        (Foreign(text="connection refused"), LedgerUnavailable, True),
        (Foreign(state="99999"), LedgerUnavailable, True),
    ],
)
def test_every_database_error_has_a_next_action(foreign: Foreign, kind: type[RotatorError], again: bool) -> None:
    """By its code; with a fix, and without a word of the foreign text."""
    failure = translate(wrapped(foreign))
    assert type(failure.error) is kind
    assert failure.again is again
    assert failure.error.fix
    assert "needle" not in f"{failure.error!r} {failure.error.fix}"


def test_the_real_errors_of_sqlite_have_the_names_of_the_table() -> None:
    """Python 3.11 and newer name them."""
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.Error) as caught:
        connection.execute("SELECT * FROM none")
    connection.close()
    assert type(translate(caught.value).error) is ConfigError


@pytest.mark.parametrize(
    "error",
    [
        exc.TimeoutError(),
        exc.NoResultFound("needle"),
        exc.ArgumentError("needle"),
        exc.ProgrammingError("SELECT", {}, Foreign(text="cannot adapt a type")),
    ],
)
def test_errors_of_the_layer_itself_are_translated_too(error: Exception) -> None:
    """A full pool is worth waiting for; the rest is a defect or a missing driver."""
    failure = translate(error)
    assert failure.again is isinstance(error, exc.TimeoutError)
    assert "needle" not in str(failure.error)
