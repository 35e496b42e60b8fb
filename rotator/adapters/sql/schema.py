"""The state of the schema: made on first use, checked at each start, upgraded only when told to.

Alembic is imported where an upgrade is due: it costs start-up time that a check does not need.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from rotator.adapters.sql import triggers
from rotator.adapters.sql.database import Database
from rotator.domain.errors import ConfigError, InvariantBroken
from rotator.resources import data_dir

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")  # oldest first; compared with migrations/versions
HEAD = REVISIONS[-1]
LOCK = 0x726F7461  # the advisory lock of an upgrade: "rota"


def prepare(database: Database) -> None:
    """Makes the tables where the database is empty, else checks it.

    Raises ConfigError for an older schema (naming `rotator db upgrade`), a newer one, or a database of somebody else;
    InvariantBroken where a trigger that keeps the trail append-only is gone.
    """
    if database.read(_is_empty):
        upgrade(database)
    check(database)


def check(database: Database) -> None:
    """Raises as `prepare`, and ConfigError for an empty database; changes nothing."""
    database.read(_check)


def upgrade(database: Database) -> str:
    """Brings the schema to this version, and puts missing triggers back, in one transaction under a lock.

    Gives the revision that it found before; "" for an empty database.
    """
    return database.write(_upgrade)


def revision(connection: Connection) -> str:
    """The revision that the database says it has; "" for none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


def _is_empty(connection: Connection) -> bool:
    return not inspect(connection).get_table_names()


def _check(connection: Connection) -> None:
    refuse_wrong(connection, revision(connection))
    gone = triggers.missing(connection)
    if gone:
        raise InvariantBroken(
            f"the audit trail is not protected: {', '.join(gone)} missing",
            fix="find out who removed it; `rotator audit verify` tells whether rows were changed; "
            "`rotator db upgrade` puts the triggers back",
        )


def refuse_wrong(connection: Connection, found: str, revisions: tuple[str, ...] = REVISIONS) -> None:
    """Raises ConfigError where the revision found is not the last of these."""
    if found == revisions[-1]:
        return
    if not found and not _is_empty(connection):
        raise ConfigError("the database belongs to another program", fix="name another one", where="database.url")
    if not found or found in revisions:
        raise ConfigError(
            f"the database has schema {found or 'none'}, this version needs {revisions[-1]}",
            fix="make a backup, then run `rotator db upgrade`",
            where="database.url",
        )
    raise ConfigError(
        f"the database has schema {found}, which is newer than this version ({revisions[-1]})",
        fix="install the newer version of rotator that made it",
        where="database.url",
    )


def _upgrade(connection: Connection) -> str:
    if connection.dialect.name == "postgresql":  # SQLite: BEGIN IMMEDIATE is the lock
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    found = revision(connection)
    if found not in REVISIONS and not (found == "" and _is_empty(connection)):
        refuse_wrong(connection, found)
    _run_alembic(connection)
    return found


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    # A percent sign would be an interpolation of the ini format.
    config.set_main_option("script_location", str(data_dir("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
