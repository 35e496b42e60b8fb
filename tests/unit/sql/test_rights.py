"""Rights on PostgreSQL: what docs/database.md grants is enough, and no more than it says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from rotator.adapters.sql import schema
from rotator.adapters.sql.ledger import SqlLedger
from rotator.domain.errors import ConfigError
from rotator.domain.words import Trigger
from tests.contract.ledger_ports import CONTEXT, WHO, intent, open_database, opening, outcome
from tests.unit.sql.support import ROOT, raw, started, trail_of

pytestmark = [
    pytest.mark.needs("postgres"),
    pytest.mark.parametrize("url", ["postgres"], indirect=True),
]
GRANTS = re.findall(r"^GRANT .* TO rotator;$", (ROOT / "docs/database.md").read_text(), re.MULTILINE)


@pytest.fixture
def weak_url(url: str) -> Iterator[str]:
    """The database as a user of it sees it who was granted nothing."""
    role = f"{make_url(url).database}_weak"
    raw(url, f"CREATE ROLE {role}")
    yield make_url(url).update_query_dict({"options": f"-c role={role}"}).render_as_string(hide_password=False)
    raw(url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.fixture
def granted_url(url: str, weak_url: str) -> str:
    """The same after the grants of the document."""
    assert len(GRANTS) == 5
    raw(url, *(grant.replace("TO rotator", f"TO {make_url(url).database}_weak") for grant in GRANTS))
    return weak_url


def test_the_grants_of_the_document_are_enough(granted_url: str) -> None:
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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET reason = ''",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_events_chain ON audit_events",
        "DELETE FROM audit_head",
        "DELETE FROM rotations",
        "SET session_replication_role = replica",
    ],
)
def test_the_grants_of_the_document_allow_no_tampering(granted_url: str, statement: str) -> None:
    """Refused by PostgreSQL before any trigger."""
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        raw(granted_url, statement)


def test_a_right_that_lacks_is_named(weak_url: str) -> None:
    """The user of the database may not read a table: a mistake of the operator, not a time to wait."""
    database = open_database(weak_url, patience=0.2)
    with pytest.raises(ConfigError, match="lacks a right") as caught:
        SqlLedger(database, CONTEXT).rotations()
    assert "docs/database.md" in caught.value.fix
    database.close()
