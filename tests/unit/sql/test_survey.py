"""The survey of one app knows what the survey of all knows of it."""

from __future__ import annotations

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.survey import survey
from tests.contract.ledger_ports import START, outcome
from tests.unit.sql.support import started


def test_the_survey_of_one_app_tells_of_it_what_that_of_all_does(database: Database) -> None:
    """Its open rotation, its last good one; of another app nothing, but the pauses and leases that concern all."""
    ledger, lease, row = started(database)
    ledger.commit(lease, row, outcome("retire"), {"retired_at": START})
    whole, one, other = survey(database), survey(database, "billing"), survey(database, "orders")
    assert (one.open, one.last, one.taken) == (whole.open, whole.last, whole.taken)
    assert [len(found.open) for found in (whole, other)] == [1, 0]
    assert (set(whole.last), other.last, other.taken) == ({"billing"}, {}, whole.taken)
