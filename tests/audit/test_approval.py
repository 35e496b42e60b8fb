"""A prune that waits for a second person, and the trail of the request."""

from __future__ import annotations

from dataclasses import replace

from rotator.adapters.sql.approvals import Approvals
from rotator.adapters.sql.database import Database
from tests.contract.ledger_ports import CONTEXT, WHO
from tests.unit.sql.support import trail_of


def test_a_request_about_no_app_stands_in_the_trail_too(database: Database) -> None:
    """Asked and approved: a row each, with the action and the second person."""
    approvals = Approvals(database, CONTEXT)
    request = approvals.ask("audit prune", {"ticket": "CHG-9"}, WHO)
    assert approvals.approve(request.id, replace(WHO, actor="dave", approver="")).who.approver == "dave"
    asked, approved = [row for row in trail_of(database).history() if row["step"] == "approve"]
    assert (asked["outcome"], asked["evidence"]["action"]) == ("held", "audit prune")
    assert (approved["outcome"], approved["actor"], approved["approver"]) == ("ok", "dave", "dave")
