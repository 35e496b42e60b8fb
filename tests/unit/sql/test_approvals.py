"""Requests for a second person, and reviews of what one did alone, in the database."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.adapters.sql import reviews
from rotator.adapters.sql.approvals import Approvals
from rotator.adapters.sql.database import Database
from rotator.domain.errors import NotFound, Refused
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Trigger
from rotator.ports import Opening
from tests.contract.ledger_ports import CONSUMER, CONTEXT, MovedTime, open_database, opening
from tests.unit.sql.support import started, trail_of

ANN = Who("ann", "cli", "key in a log", "INC-7")
BOB, CYD = Who("bob", "socket"), Who("cyd", "cli")
WHAT = {"apps": {"billing": "acme", "orders": "acme"}, "ticket": "INC-7"}
MINUTE = 60.0


def told(database: Database) -> list[tuple[object, ...]]:
    """The rows of the trail about it."""
    rows = trail_of(database).history()
    return [(row["app"], row["outcome"], row["actor"], row["approver"], row["ticket"]) for row in rows]


def test_the_same_asked_again_is_the_same_request(database: Database) -> None:
    """Also by another; something else is another request. A row for each app, once."""
    approvals = Approvals(database, CONTEXT)
    first = approvals.ask("force", WHAT, ANN)
    assert approvals.ask("force", WHAT, BOB) == first
    assert approvals.ask("force", {**WHAT, "ticket": "INC-8"}, ANN).id != first.id
    assert told(database)[:2] == [(app, "held", "ann", None, "INC-7") for app in ("billing", "orders")]
    assert len(told(database)) == 4


def test_another_person_approves_and_the_request_says_so(database: Database) -> None:
    """Approver and time stand in it, and it can be acted on; approving twice changes nothing and adds no row."""
    approvals = Approvals(database, CONTEXT)
    asked = approvals.ask("force", WHAT, ANN)
    approved = approvals.approve(asked.id, BOB)
    assert (approved.who.actor, approved.who.approver) == ("ann", "bob")
    assert approved.approved_at is not None
    assert approvals.approve(asked.id, CYD) == approved
    assert approvals.ask("force", WHAT, ANN) == approved
    assert told(database)[2:] == [(app, "ok", "bob", "bob", "INC-7") for app in ("billing", "orders")]


def test_the_same_person_is_refused_with_a_row(database: Database) -> None:
    """Whoever asked cannot approve; the request stays, and the refusal is in the trail."""
    approvals = Approvals(database, CONTEXT)
    asked = approvals.ask("force", WHAT, ANN)
    with pytest.raises(Refused) as caught:
        approvals.approve(asked.id, replace(ANN, origin="socket"))
    assert caught.value.code == "approval_own"
    assert approvals.open() == (asked,)
    assert [row[1] for row in told(database)] == ["held", "held", "refused", "refused"]


def test_an_unknown_request_is_not_found(database: Database) -> None:
    """Nothing is written."""
    with pytest.raises(NotFound):
        Approvals(database, CONTEXT).approve("0", BOB)
    assert told(database) == []


@pytest.mark.parametrize(("seconds", "works"), [(15 * MINUTE - 1, True), (15 * MINUTE, False)])
def test_a_request_can_be_approved_for_fifteen_minutes(url: str, seconds: float, works: bool) -> None:
    """By the clock of the database; after that it is refused with a row, and asking makes a new one."""
    moved = MovedTime()
    database = open_database(url, moved)
    approvals = Approvals(database, CONTEXT)
    asked = approvals.ask("force", WHAT, ANN)
    moved.advance(seconds)
    if works:
        assert approvals.approve(asked.id, BOB).approved_at == moved.now
    else:
        with pytest.raises(Refused) as caught:
            approvals.approve(asked.id, BOB)
        assert (caught.value.code, told(database)[-1][1]) == ("approval_expired", "refused")
        assert approvals.ask("force", WHAT, ANN).id != asked.id
    database.close()


def test_an_approval_can_be_acted_on_for_fifteen_minutes(url: str) -> None:
    """Counted from the approval, not from the request; then it is not open any more."""
    moved = MovedTime()
    database = open_database(url, moved)
    approvals = Approvals(database, CONTEXT)
    asked = approvals.ask("force", WHAT, ANN)
    moved.advance(10 * MINUTE)
    approvals.approve(asked.id, BOB)
    moved.advance(15 * MINUTE - 1)
    assert [one.id for one in approvals.open()] == [asked.id]
    moved.advance(1)
    assert approvals.open() == ()
    assert approvals.ask("force", WHAT, ANN).approved_at is None
    database.close()


def forced(database: Database, who: Who) -> Rotation:
    """A rotation that this person forced."""
    ledger, lease, first = started(database)
    if first.who.break_glass:
        reviews.review(database, CONTEXT, first.id, CYD)
    asked: Opening = replace(opening(), who=who, trigger=Trigger.FORCE)
    return ledger.open(lease, asked)


def test_what_one_did_alone_waits_for_a_review_by_another(database: Database) -> None:
    """Listed until then; the same person is refused with a row, twice is refused, and the review is a row."""
    row = forced(database, replace(ANN, break_glass=True))
    assert [one.id for one in reviews.unreviewed(database)] == [row.id]
    for who, code in ((ANN, "review_own"), (replace(BOB, reason="was right"), ""), (CYD, "reviewed")):
        if not code:
            reviews.review(database, CONTEXT, row.id, who)
            assert reviews.unreviewed(database) == []
            continue
        with pytest.raises(Refused) as caught:
            reviews.review(database, CONTEXT, row.id, who)
        assert caught.value.code == code
    rows = [one for one in trail_of(database).history() if one["step"] == "review" and one["rotation_id"] == row.id]
    assert [(one["actor"], one["outcome"]) for one in rows] == [("ann", "refused"), ("bob", "ok"), ("cyd", "refused")]


def test_an_ordinary_force_needs_no_review(database: Database) -> None:
    """Not listed, and refused; a rotation that does not exist is not found."""
    row = forced(database, ANN)
    assert reviews.unreviewed(database) == []
    with pytest.raises(Refused) as caught:
        reviews.review(database, CONTEXT, row.id, BOB)
    assert caught.value.code == "not_break_glass"
    with pytest.raises(NotFound):
        reviews.review(database, CONTEXT, CONSUMER.org_id, BOB)
