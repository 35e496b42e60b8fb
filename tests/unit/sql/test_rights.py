"""Rights on PostgreSQL: what an upgrade grants to the three roles is enough, and no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from rotator.adapters.sql import rights, schema
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.rights import Roles
from rotator.domain.errors import ConfigError
from rotator.domain.words import Trigger
from tests.contract.ledger_ports import CONTEXT, WHO, intent, open_database, opening, outcome
from tests.unit.sql.support import raw, started, trail_of

pytestmark = [
    pytest.mark.needs("postgres"),
    pytest.mark.parametrize("url", ["postgres"], indirect=True),
]
STATEMENTS = (
    "UPDATE audit_events SET reason = ''",
    "DELETE FROM audit_events",
    "TRUNCATE audit_events",
    "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_events_chain ON audit_events",
    "CREATE TRIGGER mine BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_events_refuse()",
    "DROP TABLE audit_events",
    "DELETE FROM audit_head",
    "DELETE FROM rotations",
    "SET session_replication_role = replica",
)


@pytest.fixture
def weak_url(url: str) -> Iterator[str]:
    """The database as a user of it sees it who was granted nothing."""
    role = f"{make_url(url).database}_weak"
    raw(url, f"CREATE ROLE {role}")
    yield make_url(url).update_query_dict({"options": f"-c role={role}"}).render_as_string(hide_password=False)
    raw(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def roles_of(url: str) -> Roles:
    """Roles belong to the server: each test has its own pair."""
    name = make_url(url).database
    return Roles(f"{name}_weak", f"{name}_auditor")


@pytest.fixture
def granted_url(url: str, weak_url: str) -> str:
    """The same after an upgrade found the application's role."""
    upgrade_for(url, roles_of(url))
    return weak_url


def upgrade_for(url: str, roles: Roles) -> None:
    """The grants of an upgrade, to these roles."""
    owner = open_database(url)
    owner.write(lambda connection: rights.install(connection, roles))
    owner.close()


def said_to(url: str, roles: Roles) -> tuple[str, ...]:
    """What `db check` says to the user of this URL."""
    database = open_database(url)
    try:
        return rights.wrong(database, roles)
    finally:
        database.close()


def test_the_grants_of_an_upgrade_are_enough(granted_url: str) -> None:
    """Start, rotation, abandon, force, trail: all of it runs with these rights."""
    database = open_database(granted_url, patience=1)
    schema.prepare(database)
    ledger, lease, row = started(database)
    row = ledger.commit(lease, row, intent("stage"), {"posting": True}, publish_cas=1)
    row = ledger.commit(lease, row, outcome("stage"), {"new_key": "key1"}, learned={"created_by_given": "yes"})
    ledger.ask_abandon(row.id, WHO)
    ledger.open(lease, opening(Trigger.FORCE))
    ledger.yield_lease(lease)
    assert trail_of(database).verify_chain().rows == 6
    database.close()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_grants_allow_no_tampering(granted_url: str, statement: str) -> None:
    """Refused by PostgreSQL before any trigger."""
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        raw(granted_url, statement)


@pytest.fixture
def auditor_url(url: str) -> Iterator[str]:
    """The database as an auditor sees it, after the upgrade."""
    role = roles_of(url).auditor
    raw(url, f"CREATE ROLE {role}")
    upgrade_for(url, roles_of(url))
    yield make_url(url).update_query_dict({"options": f"-c role={role}"}).render_as_string(hide_password=False)
    raw(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize("statement", [*STATEMENTS, "INSERT INTO pauses VALUES ('all', '', 'me', '', '', null)"])
def test_an_auditor_changes_nothing(auditor_url: str, statement: str) -> None:
    """Neither the trail nor the state."""
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        raw(auditor_url, statement)


def test_an_auditor_reads_and_verifies_the_trail(url: str, auditor_url: str) -> None:
    """All rows and the whole chain, with SELECT alone."""
    owner, auditor = open_database(url), open_database(auditor_url)
    started(owner)
    assert trail_of(auditor).verify_chain().rows == 1
    assert [row["step"] for row in trail_of(auditor).history()] == ["request"]
    owner.close()
    auditor.close()


def test_every_table_has_its_rights(url: str) -> None:
    """A new table needs a line in `rights.NEEDED`, else the application could not use it."""
    there = raw(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {table for (table,) in there} == set(rights.NEEDED)


def test_what_is_wrong_with_the_rights_is_said(url: str, granted_url: str) -> None:
    """Roles that are missing; work as the owner; a right too few; a right too many."""
    roles = roles_of(url)
    assert said_to(granted_url, roles) == (f"the role {roles.auditor} does not exist: CREATE ROLE {roles.auditor}, then"
                                           " `rotator db upgrade`",)  # fmt: skip
    assert "only `rotator db upgrade` as the owner" in said_to(url, roles)[-1]
    raw(url, f"REVOKE INSERT ON rotations FROM {roles.app}", f"GRANT UPDATE ON audit_events TO {roles.app}")
    few, many = said_to(granted_url, roles)[1:]
    assert few.startswith(f"{roles.app} lacks INSERT on rotations")
    assert many.startswith(f"{roles.app} has UPDATE on audit_events")


def test_a_right_that_lacks_is_named(weak_url: str) -> None:
    """The user of the database may not read a table: a mistake of the operator, not a time to wait."""
    database = open_database(weak_url, patience=0.2)
    with pytest.raises(ConfigError, match="lacks a right") as caught:
        SqlLedger(database, CONTEXT).rotations()
    assert "docs/database.md" in caught.value.fix
    database.close()
