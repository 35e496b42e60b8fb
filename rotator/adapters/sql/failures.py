"""The one table that translates database errors. A foreign text is never passed on: it may carry parameters.

SQLite names its errors (Python 3.11: `sqlite_errorname`), PostgreSQL has SQLSTATE codes; a connection that could not
be made has neither, so the server's fixed English words are looked at for the two mistakes that waiting cannot mend.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exc

from rotator.domain.errors import ConfigError, InvariantBroken, LedgerUnavailable, RotatorError


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of a transaction: our error, and whether trying again soon may help."""

    error: RotatorError
    again: bool


_UPGRADE = "run `rotator db upgrade`"
_ROOM = "free space on the database's disk; the next start reads the truth from Salesforce and Vault"
_PASSWORD = "set the right `password_file` under [database]"  # noqa: S105 - the name of an option

# Prefix of a SQLite error name or of a SQLSTATE: kind, what is wrong, the next action.
_TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("SQLITE_BUSY", "again", "the database stayed locked by another process", ""),
    ("SQLITE_LOCKED", "again", "the database stayed locked by another process", ""),
    ("SQLITE_FULL", "down", "the database's disk is full", _ROOM),
    ("SQLITE_IOERR", "down", "the database's disk answered with an input/output error", "look at the disk"),
    (
        "SQLITE_CANTOPEN",
        "config",
        "the database file cannot be opened",
        "check the folder in [database] url and its owner",
    ),
    ("SQLITE_READONLY", "config", "the database file cannot be written", "run as the owner of the database file"),
    ("SQLITE_PERM", "config", "the database file cannot be read", "run as the owner of the database file"),
    ("SQLITE_AUTH", "broken", "a statement was stopped that could change the trail (adapters/sql/guard.py)", ""),
    ("SQLITE_NOTADB", "config", "the file in [database] url is not a SQLite database", "name another file"),
    (
        "SQLITE_CORRUPT",
        "broken",
        "the database file is damaged",
        "restore it from a backup, then `rotator audit verify`",
    ),
    ("SQLITE_CONSTRAINT", "broken", "the database refused a row that breaks one of its rules", ""),
    ("SQLITE_ERROR", "config", "the database does not have the tables this version needs", _UPGRADE),
    ("28", "config", "the database refused the user or the password", _PASSWORD),
    ("3D", "config", "the database that [database] url names does not exist", "create it"),
    (
        "42501",
        "config",
        "the database user lacks a right",
        "grant it as docs/database.md says, or run `rotator db upgrade`",
    ),
    ("42", "config", "the database does not have the tables this version needs", _UPGRADE),
    ("25P03", "again", "the database ended a transaction of ours that stood still", ""),
    ("25006", "again", "the database takes no writes: a replica, or in recovery", "connect to the primary"),
    ("53100", "down", "the database's disk is full", _ROOM),
    ("23", "broken", "the database refused a row that breaks one of its rules", ""),
    ("P0001", "broken", "the database refused a row that breaks one of its rules", ""),
    ("40", "again", "the database could not order our transaction among others", ""),
    ("53", "again", "the database is out of connections or memory", ""),
    ("55P03", "again", "a row stayed locked by another process", ""),
    ("57", "again", "the database is shutting down or starting", ""),
    ("08", "again", "the connection to the database broke", ""),
)
_WORDS = (("authentication failed", "28"), ("no password supplied", "28"), ("does not exist", "3D"))


def translate(error: BaseException) -> Failure:
    """Our error for any error of SQLAlchemy or its drivers."""
    code = _code(error)
    for prefix, kind, message, fix in _TABLE:
        if code.startswith(prefix):
            return _failure(kind, message, fix, code)
    if isinstance(error, exc.ArgumentError | exc.NoSuchModuleError | ModuleNotFoundError):
        return Failure(ConfigError("the database driver is missing", fix="install `rotator[postgres]`"), again=False)
    if not isinstance(error, exc.ProgrammingError) and isinstance(error, exc.DBAPIError | exc.TimeoutError):
        return _failure("again", "the database does not answer", "", code)
    return Failure(InvariantBroken(f"the database layer failed: {type(error).__name__}"), again=False)


def _failure(kind: str, message: str, fix: str, code: str) -> Failure:
    told = f"{message} ({code})" if code else message
    if kind == "config":
        return Failure(ConfigError(told, fix=fix, where="database.url"), again=False)
    if kind == "broken":
        return Failure(InvariantBroken(told, fix=fix), again=False)
    return Failure(LedgerUnavailable(told, fix=fix), again=kind == "again")


def _code(error: BaseException) -> str:
    """The error's stable name; "" where it has none."""
    driver = error.orig if isinstance(error, exc.DBAPIError) else error
    name = getattr(driver, "sqlite_errorname", None) or getattr(driver, "sqlstate", None)
    if name:
        return str(name)
    text = str(driver)  # looked at, never passed on
    return next((code for words, code in _WORDS if words in text), "") if isinstance(error, exc.DBAPIError) else ""
