"""Retention: the oldest rows go behind a tombstone, and in no other way; the chain, exports and rebuild go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from rotator.adapters.sql import retention
from rotator.adapters.sql.database import moment
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.rebuild import rebuild
from rotator.domain.errors import LeaseTaken, Refused, RotatorError
from rotator.domain.event import Event
from rotator.domain.pause import Scope
from rotator.domain.rotation import Who
from rotator.domain.tombstone import Tombstone, read_tombstone
from rotator.domain.words import Outcome, Phase, State
from tests.audit.files import exported
from tests.contract.ledger_ports import CONTEXT, KINDS, WHO, MovedTime, fresh_url, open_database, opening, outcome
from tests.unit.sql.support import raw, started, trail_of, unprotected

KEEPS = timedelta(days=760)
PRUNER = Who("carol", "cli", "kept long enough", "CHG-9")


class Old:
    """A trail that began three years before this machine's clock: a rotation that ended, and rows of other apps."""

    def __init__(self, url: str) -> None:
        self.url, self.time = url, MovedTime()
        self.time.now = datetime.now(UTC) - timedelta(days=1100)
        self.database = open_database(url, self.time)
        self.ledger, self.lease, row = started(self.database)
        self.ended = self.ledger.commit(self.lease, row, outcome("close"), {"state": State.DONE})
        self.note("orders", "acme")
        self.note("else", "other")
        self.time.advance(86400 * 900)
        self.note("orders", "acme")
        self.time.advance(86400 * 199)

    def note(self, app: str, org: str) -> None:
        trail_of(self.database).record(Event("check", Phase.OBSERVE, Outcome.OK), WHO, org=org, app=app)

    def horizon(self, most: int = retention.MOST) -> retention.Horizon:
        return retention.horizon(self.database, KEEPS, most)

    def prune(self, most: int = retention.MOST) -> Tombstone:
        stone = stone_of(self.horizon(most))
        retention.prune(self.database, CONTEXT, PRUNER, stone)
        return stone

    @property
    def seqs(self) -> list[int]:
        return [row["seq"] for row in trail_of(self.database).history()]


def stone_of(found: retention.Horizon) -> Tombstone:
    return Tombstone(found.first, found.to, found.last_hash, moment(found.before), "carol", "kept", "CHG-9")


@pytest.fixture(params=KINDS)
def old(request: pytest.FixtureRequest) -> Iterator[Old]:
    """Such a trail, on both databases: rows 1 to 4 are old, 5 is not."""
    made = Old(fresh_url(request.param, request))
    yield made
    made.database.close()


def test_the_oldest_rows_go_and_the_tombstone_tells(old: Old) -> None:
    """Rows 1 to 4 are gone; row 6 says which, by whom and why; the chain verifies from there, and says what is gone."""
    assert old.seqs == [1, 2, 3, 4, 5]
    stone = old.prune()
    assert old.seqs == [5, 6]
    told = list(trail_of(old.database).history())[-1]
    assert (told["step"], told["actor"], told["ticket"]) == ("prune", "carol", "CHG-9")
    assert read_tombstone(told["evidence"]) == stone
    assert told["evidence"]["count"] == 4
    found = trail_of(old.database).verify_chain()
    assert (found.ok, found.rows, found.pruned_to, found.tombstone) == (True, 6, 4, stone)
    assert not old.horizon().rows


def test_several_tombstones_follow_each_other(old: Old) -> None:
    """Two rows, then two more: the last one counts; rows that come later go on with the chain."""
    old.prune(most=2)
    assert trail_of(old.database).verify_chain().pruned_to == 2
    with pytest.raises(DBAPIError):
        raw(old.url, "DELETE FROM audit_events WHERE seq = 3")  # old enough, and not named
    old.prune(most=2)
    assert trail_of(old.database).verify_chain().pruned_to == 4
    old.note("orders", "acme")
    assert trail_of(old.database).verify_chain().ok
    assert old.seqs == [5, 6, 7, 8]


@pytest.mark.parametrize("statement", [
    "DELETE FROM audit_events WHERE seq = 5", "DELETE FROM audit_events WHERE seq <= 6", "DELETE FROM audit_events",
    "UPDATE audit_events SET reason = 'x' WHERE seq = 5",
])  # fmt: skip
def test_a_tombstone_opens_no_other_way(old: Old, statement: str) -> None:
    """With the tombstone as the newest row, a stranger still removes and changes nothing that it does not name."""
    old.prune()
    with pytest.raises(DBAPIError):
        raw(old.url, statement)
    assert old.seqs == [5, 6]


def test_young_rows_stay_whatever_a_tombstone_says(old: Old) -> None:
    """The triggers keep what is younger than 90 days by the server's own clock."""
    old.time.now = datetime.now(UTC)
    old.note("orders", "acme")
    found = retention.horizon(old.database, timedelta(0))
    future = replace(stone_of(found), before="9999-01-01T00:00:00.000000Z", to=6)
    forged = Event("prune", Phase.DECISION, Outcome.OK, evidence=future.evidence())
    trail_of(old.database).record(forged, WHO)
    with pytest.raises(DBAPIError):
        raw(old.url, "DELETE FROM audit_events WHERE seq <= 6")
    assert old.seqs == [1, 2, 3, 4, 5, 6, 7]


def test_rows_without_their_tombstone_are_a_broken_trail(old: Old) -> None:
    """The owner takes more away than the tombstone names: nothing vouches for the trail any more."""
    old.prune()
    unprotected(old.url, "DELETE FROM audit_events WHERE seq = 5")
    found = trail_of(old.database).verify_chain()
    assert (found.ok, found.first_bad_seq) == (False, 1)


def test_a_changed_tombstone_is_a_broken_trail(old: Old) -> None:
    """It is a row of the chain."""
    old.prune()
    ((evidence,),) = raw(old.url, "SELECT evidence FROM audit_events WHERE seq = 6")
    changed = json.dumps({**json.loads(evidence), "reason": "other"}).replace("'", "''")
    unprotected(old.url, f"UPDATE audit_events SET evidence = '{changed}' WHERE seq = 6")  # noqa: S608 - our own text
    assert not trail_of(old.database).verify_chain().ok


def test_anchors_hold_a_pruned_trail(old: Old) -> None:
    """Anchors of rows that are gone say nothing; one of the last removed row must agree; later ones are confirmed."""
    hashes = {row["seq"]: row["hash"] for row in trail_of(old.database).history()}
    old.prune()
    anchors = {seq: [hashes[seq]] for seq in (2, 4, 5)}
    assert trail_of(old.database).verify_chain(anchors=anchors).anchored_to_seq == 5
    assert not trail_of(old.database).verify_chain(anchors={**anchors, 4: ["0" * 64]}).ok


@pytest.mark.parametrize(("scope", "name", "stays_from"), [
    (Scope.ALL, "", 1), (Scope.APP, "billing", 1), (Scope.ORG, "other", 4), (Scope.APP, "orders", 3),
])  # fmt: skip
def test_a_legal_hold_keeps_its_rows_and_all_later_ones(old: Old, scope: Scope, name: str, stays_from: int) -> None:
    """Whose first row stays keeps the chain from there; released, everything goes."""
    assert retention.hold(old.database, CONTEXT, WHO, scope, name, release=False)
    assert not retention.hold(old.database, CONTEXT, WHO, scope, name, release=False)
    found = old.horizon()
    assert (found.to + 1, "CHG-1" in found.kept_by) == (stays_from, True)
    assert retention.hold(old.database, CONTEXT, WHO, scope, name, release=True)
    assert old.horizon().to == 4
    assert [row["step"] for row in trail_of(old.database).history()][-2:] == ["legal_hold", "legal_hold"]


def test_a_hold_that_comes_meanwhile_wins(old: Old) -> None:
    """What was looked at before is looked at again under the lock; nothing is left behind of the attempt."""
    stone = stone_of(old.horizon())
    retention.hold(old.database, CONTEXT, WHO, Scope.ALL, "", release=False)
    with pytest.raises(Refused):
        retention.prune(old.database, CONTEXT, PRUNER, stone)
    retention.hold(old.database, CONTEXT, WHO, Scope.ALL, "", release=True)
    old.prune()
    with pytest.raises(LeaseTaken):
        retention.prune(old.database, CONTEXT, PRUNER, stone)
    assert [row["step"] for row in trail_of(old.database).history()].count("prune") == 1


def test_an_open_rotation_keeps_its_rows(old: Old) -> None:
    """However old it is: its state is rebuilt from them."""
    raw(old.url, "UPDATE rotations SET state = 'held'")
    found = old.horizon()
    assert (found.rows, found.kept_by) == (0, "a rotation that is still open")


def test_rebuild_leaves_what_was_pruned(old: Old) -> None:
    """A rotation all of whose rows are gone stays as it is, and so does what the consumer knows of its writes."""
    raw(old.url, "UPDATE consumers SET publish_cas = 7")
    old.prune()
    old.time.advance(60)
    before = raw(old.url, "SELECT * FROM rotations")
    done = rebuild(old.database, CONTEXT, WHO)
    assert (done.changed, done.removed, done.headless) == ((), (), (old.ended.id,))
    assert raw(old.url, "SELECT * FROM rotations") == before
    assert raw(old.url, "SELECT publish_cas FROM consumers") == [(7,)]


def test_work_goes_on_behind_a_tombstone(old: Old) -> None:
    """The next rotation opens and the chain stays one piece; an export says where it begins."""
    old.prune()
    ledger = SqlLedger(old.database, CONTEXT)
    lease = ledger.claim(old.ended.consumer.org_id, old.ended.consumer.consumer_id, "worker-2", 30, seize=True)
    assert lease is not None
    ledger.open(lease, opening())
    assert trail_of(old.database).verify_chain().ok
    head = json.loads(exported(old.database)[0])
    assert head["after"]["seq"] == 4


def test_our_own_connections_delete_nothing_without_a_prune(old: Old) -> None:
    """Database.write of the product, on SQLite by its guard, on PostgreSQL by the trigger."""
    with pytest.raises(RotatorError):
        old.database.write(lambda connection: connection.exec_driver_sql("DELETE FROM audit_events"))
    assert old.seqs == [1, 2, 3, 4, 5]
