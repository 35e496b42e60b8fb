"""Who may do what on PostgreSQL: three roles, and the grants that an upgrade gives to those that are there.

`rotator_owner` owns the tables and upgrades; `rotator_app` is what daemon and commands run as; `rotator_auditor` reads.
The roles belong to the server, not to this database, so no upgrade makes them: docs/database.md has the three lines.
SQLite knows no roles; its file has one owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.dialects import postgresql

from rotator.adapters.sql.database import Database

READ = ("SELECT",)
STATE = ("SELECT", "INSERT", "UPDATE")
FREE = ("SELECT", "INSERT", "UPDATE", "DELETE")
# What the application needs of each table; a test demands a line for every table.
NEEDED = {
    "consumers": STATE,
    "rotations": STATE,
    "org_facts": STATE,
    "orgs": STATE,
    "pauses": FREE,
    "watch": STATE,
    "hosts": FREE,
    "sweeps": STATE,
    "sightings": FREE,
    "approvals": STATE,
    "alarms": FREE,
    "outbox": FREE,
    "legal_holds": FREE,
    "audit_events": ("SELECT", "INSERT"),
    "audit_head": ("SELECT", "UPDATE"),
    "alembic_version": READ,
}
NEVER = ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER")  # on the trail, by whoever is not its owner


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the two roles that are granted something; tests take others."""

    app: str = "rotator_app"
    auditor: str = "rotator_auditor"


ROLES = Roles()


def roles_for(url: str) -> str:
    """The statements that make the roles and the database of a URL, as docs/database.md tells them; its user is whom
    daemon and commands log in as. Grants come with every upgrade."""
    told = make_url(url)
    quoted = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]
    user, database = quoted(told.username or "rotator"), quoted(told.database or "rotator")
    return f"""\
CREATE ROLE rotator_owner LOGIN;              -- `rotator db upgrade` logs in as this one
CREATE ROLE {ROLES.app} NOLOGIN;              -- SELECT and INSERT on the trail; no DELETE, no TRUNCATE, no TRIGGER
CREATE ROLE {ROLES.auditor} NOLOGIN;          -- SELECT
CREATE ROLE {user} LOGIN IN ROLE {ROLES.app};     -- daemon and commands
CREATE DATABASE {database} OWNER rotator_owner;
"""


def install(connection: Connection, roles: Roles = ROLES) -> None:
    """Grants what each role needs, and takes away what the others must not have, inside the caller's transaction."""
    if connection.dialect.name != "postgresql":
        return
    present = _present(connection, (roles.app, roles.auditor))
    there = inspect(connection).get_table_names()  # an upgrade may stop before the newest
    for table, needed in ((table, needed) for table, needed in NEEDED.items() if table in there):
        connection.exec_driver_sql(f"REVOKE ALL ON {table} FROM PUBLIC")
        for role, may in ((roles.app, needed), (roles.auditor, READ)):
            if role in present:
                connection.exec_driver_sql(f'REVOKE ALL ON {table} FROM "{role}"')
                connection.exec_driver_sql(f'GRANT {", ".join(may)} ON {table} TO "{role}"')


def wrong(database: Database, roles: Roles = ROLES) -> tuple[str, ...]:
    """What is not as docs/database.md advises: for `db check`, in words. Nothing on SQLite."""
    return database.read(lambda connection: tuple(_wrong(connection, roles)))


def _wrong(connection: Connection, roles: Roles) -> Sequence[str]:
    if connection.dialect.name != "postgresql":
        return ()
    absent = sorted({roles.app, roles.auditor} - _present(connection, (roles.app, roles.auditor)))
    missing = [f"the role {role} does not exist: CREATE ROLE {role}, then `rotator db upgrade`" for role in absent]
    user = str(connection.exec_driver_sql("SELECT current_user").scalar())
    if _owns(connection):
        return [*missing, f"{user} may change the tables and take the triggers away: let daemon and commands log in as"
                f" a member of {roles.app}, and only `rotator db upgrade` as the owner"]  # fmt: skip
    asked = [(table, right) for table, needed in NEEDED.items() for right in needed]
    lacking = [f"{user} lacks {right} on {table}: `rotator db upgrade` as the owner grants it"
               for table, right in asked if not _may(connection, table, right)]  # fmt: skip
    excess = [f"{user} has {right} on audit_events: REVOKE {right} ON audit_events FROM {user}"
              for right in NEVER if _may(connection, "audit_events", right)]  # fmt: skip
    return [*missing, *lacking, *excess]


def _present(connection: Connection, names: Sequence[str]) -> set[str]:
    found = connection.execute(text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"), {"names": list(names)})
    return {str(name) for (name,) in found}


def _owns(connection: Connection) -> bool:
    owner = "SELECT relowner FROM pg_class WHERE oid = 'audit_events'::regclass"
    return bool(connection.exec_driver_sql(f"SELECT pg_has_role(({owner}), 'USAGE')").scalar())


def _may(connection: Connection, table: str, right: str) -> bool:
    asked = text("SELECT has_table_privilege(:table, :right)")
    return bool(connection.execute(asked, {"table": table, "right": right}).scalar())
