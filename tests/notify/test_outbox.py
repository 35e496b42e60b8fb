"""The outbox over real databases: what a change of a rotation puts there, and how senders share it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.outbox import Outbox
from rotator.domain.changes import Changes
from rotator.domain.errors import Refused, RotatorError, Unavailable
from rotator.domain.event import Event
from rotator.domain.notice import Notice, Parcel, Routes, Status, Topic
from rotator.domain.rotation import Rotation
from rotator.domain.words import Outcome, Phase, State, Trigger
from rotator.notify.postman import MOST, Postman
from rotator.ports import Lease
from tests.contract.ledger_ports import CONTEXT, KINDS, MovedTime, claim, fresh_url, open_database, opening
from tests.notify.samples import HELD, RESOLVED

HOLD: Changes = {"state": State.HELD, "reason": "foreign_staged", "message": "somebody else was here", "fix": "look"}
DAY = 24 * 3600.0


def to_one(notice: Notice) -> Sequence[str]:
    """Everything goes to one channel."""
    return ("pager",)


@dataclass
class Bench:
    """One database with its clock, and a ledger that tells."""

    url: str
    time: MovedTime
    database: Database
    routes: Routes = to_one
    ledger: SqlLedger = field(init=False)
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = SqlLedger(self.database, CONTEXT, self.routes)
        self.outbox = Outbox(self.database, "host-1", self.routes)

    def begun(self, trigger: Trigger = Trigger.MANUAL) -> tuple[Lease, Rotation]:
        """An open rotation under a lease."""
        lease = claim(self.ledger, seconds=3600)
        return lease, self.opened(lease, trigger)

    def opened(self, lease: Lease, trigger: Trigger) -> Rotation:
        """Opens one, not by one person alone: that would be told too."""
        asked = opening(trigger)
        return self.ledger.open(lease, replace(asked, who=replace(asked.who, break_glass=False)))

    def change(self, lease: Lease, row: Rotation, changes: Changes, step: str = "hold",
               phase: Phase = Phase.DECISION) -> Rotation:
        """One commit."""
        self.time.advance(1)
        return self.ledger.commit(lease, row, Event(step, phase, Outcome.OK), changes)

    def drain(self, channel: str = "pager") -> list[Notice]:
        """Everything that is due, as a sender gets it."""
        box, found = Box(), list[Notice]()
        while Postman(channel, box, self.outbox, "me", lambda: 0.0).turn():
            found, box.got = [*found, *box.got], []
        return found


@dataclass
class Box:
    """A sender that keeps what it is given, or fails."""

    got: list[Notice] = field(default_factory=list)
    error: RotatorError | None = None

    def send(self, notice: Notice) -> None:
        """Keeps it."""
        if self.error is not None:
            raise self.error
        self.got.append(notice)


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """SQLite, then PostgreSQL."""
    url, time = fresh_url(request.param, request), MovedTime()
    with closing(open_database(url, time)) as database:
        yield Bench(url, time, database)


def said(notices: Sequence[Notice]) -> list[tuple[str, str]]:
    """What was told, in short."""
    return [(notice.topic.value, notice.status.value) for notice in notices]


def test_a_hold_is_told_with_its_commit_and_its_release_ends_it(bench: Bench) -> None:
    """Once, with reason, message and fix, however often the row is written; the release says that it is over."""
    lease, row = bench.begun()
    row = bench.change(lease, row, HOLD)
    row = bench.change(lease, row, {"tries": 1})
    (told,) = bench.drain()
    assert said([told]) == [("held", "firing")]
    assert (told.app, told.reason, told.message, told.fix, told.host) == (
        "billing", "foreign_staged", "somebody else was here", "look", "host-1")  # fmt: skip
    bench.ledger.release(row.id, row.who)
    (over,) = bench.drain()
    assert (said([over]), over.key) == ([("held", "resolved")], told.key)
    assert over.since == told.since


def test_a_commit_that_fails_tells_nobody(bench: Bench) -> None:
    """The notice is part of the transaction: a stale worker's hold is neither committed nor told."""
    lease, row = bench.begun()
    with pytest.raises(RotatorError):
        bench.change(replace(lease, epoch=lease.epoch - 1), row, HOLD)
    assert bench.drain() == []


def test_a_commit_that_is_repeated_tells_once(bench: Bench) -> None:
    """The same event again, as after a lost answer to COMMIT."""
    lease, row = bench.begun()
    event = Event("hold", Phase.DECISION, Outcome.HELD)
    for _ in range(2):
        bench.ledger.commit(lease, row, event, HOLD)
    assert said(bench.drain()) == [("held", "firing")]


def test_an_unproven_rotation_is_told_once_while_it_keeps_proving(bench: Bench) -> None:
    """Between two proofs it runs; that is no news. Its end is."""
    lease, row = bench.begun()
    for _ in range(3):
        row = bench.change(lease, row, {"state": State.UNPROVEN, "reason": "canary_alive"}, "prove")
        row = bench.change(lease, row, {"state": State.RUNNING}, "prove")
    assert said(bench.drain()) == [("unproven", "firing")]
    bench.change(lease, row, {"state": State.DONE}, "close")
    assert said(bench.drain()) == [("unproven", "resolved")]


def test_a_failure_is_over_when_the_next_rotation_is_done(bench: Bench) -> None:
    """It belongs to the app and outlasts the rotation; a second failure of it is no news within the day."""
    for _ in range(2):
        lease, row = bench.begun()
        bench.change(lease, row, {"state": State.FAILED, "reason": "secret_access"}, "abandon")
        bench.ledger.yield_lease(lease)
    assert said(bench.drain()) == [("failed", "firing")]
    lease, row = bench.begun()
    bench.change(lease, row, {"state": State.DONE}, "close")
    assert said(bench.drain()) == [("failed", "resolved")]


def test_a_force_is_told_at_its_opening_and_ends_what_it_supersedes(bench: Bench) -> None:
    """The held rotation is over, the force has begun; then it ends."""
    lease, row = bench.begun()
    bench.change(lease, row, HOLD)
    forced = bench.opened(lease, Trigger.FORCE)
    assert said(bench.drain()) == [("held", "firing"), ("held", "resolved"), ("force", "firing")]
    bench.change(lease, forced, {"state": State.DONE}, "close")
    assert said(bench.drain()) == [("force", "resolved")]


@pytest.mark.parametrize("answered", [True, False], ids=["answered", "unknown outcome"])
def test_a_publish_is_told_once_however_it_came_to_be_known(bench: Bench, answered: bool) -> None:
    """By the answer to our write, or by the first look that found it in the live path; with the version it made."""
    lease, row = bench.begun()
    row = bench.change(lease, row, {"publish_version": 7}, "publish", Phase.INTENT)
    if answered:
        row = bench.change(lease, row, {"published_version": 8}, "publish", Phase.OUTCOME)
    else:
        row = bench.change(lease, row, {}, "settle", Phase.OUTCOME)
    row = bench.change(lease, row, {"state": State.OVERLAP, "overlap_until": bench.time()}, "overlap")
    bench.change(lease, row, {"state": State.RUNNING, "overlap_ended": True}, "overlap", Phase.OBSERVE)
    (told,) = [notice for notice in bench.drain() if notice.topic is Topic.PUBLISHED]
    assert (told.status, told.vault_version, told.rotation_id) == ("once", 8, row.id)


def test_where_nobody_is_told_nothing_is_written(bench: Bench) -> None:
    """No channel, no row."""
    silent = Bench(bench.url, bench.time, bench.database, routes=lambda notice: ())
    lease, row = silent.begun()
    silent.change(lease, row, HOLD)
    assert bench.drain() == []
    assert bench.outbox.told(Topic.HELD) == []


def test_what_lasts_is_told_again_after_a_day_and_by_one_of_two(bench: Bench) -> None:
    """Not after an hour; once after a day, although two daemons look; said to be told again."""
    bench.outbox.tell([HELD])
    other = Outbox(bench.database, "host-2", bench.routes)
    assert len(bench.drain()) == 1
    bench.time.advance(3600)
    bench.outbox.tend()
    assert bench.drain() == []
    bench.time.advance(DAY)
    bench.outbox.tend()
    other.tend()
    (again,) = bench.drain()
    assert (again.again, again.key, again.since is not None) == (True, HELD.key, True)


def test_a_sender_that_died_is_followed_by_another(bench: Bench) -> None:
    """Claimed and never finished: nobody else gets it before the claim is over, then it is carried once more."""
    bench.outbox.tell([HELD])
    assert bench.outbox.claim("pager", "dead", 60) is not None
    assert bench.outbox.claim("pager", "two", 60) is None
    bench.time.advance(61)
    parcel = bench.outbox.claim("pager", "two", 60)
    assert parcel is not None
    assert parcel.tries == 2
    bench.outbox.sent(parcel, "dead")  # it wakes late, and its word counts no more
    assert [one.waiting for one in bench.outbox.backlog()] == [1]
    bench.outbox.sent(parcel, "two")
    assert bench.outbox.backlog() == []


def test_an_end_never_overtakes_its_beginning(bench: Bench) -> None:
    """While the trigger waits for its next try, the resolve waits behind it; what has another key passes."""
    bench.outbox.tell([HELD])
    failing = Postman("pager", Box(error=Unavailable("no")), bench.outbox, "me", lambda: 0.0)
    assert failing.turn()
    bench.time.advance(1)
    bench.outbox.tell([RESOLVED, replace(HELD, key="another", id="n3")])
    assert [notice.id for notice in bench.drain()] == ["n3"]
    bench.time.advance(10)
    assert said(bench.drain()) == [("held", "firing"), ("held", "resolved")]


def test_a_notice_that_nobody_takes_is_given_up_after_a_day(bench: Bench) -> None:
    """The tries become rarer, up to an hour; then it is said that it was given up, and why."""
    bench.outbox.tell([HELD])
    man = Postman("pager", Box(error=Refused("HTTP 404", fix="mend it")), bench.outbox, "me", lambda: 0.0)
    tries = 0
    for _ in range(26 * 12):
        tries += man.turn()
        bench.time.advance(300)
    (told,) = bench.outbox.backlog()
    assert (told.waiting, told.given_up, told.error) == (0, 1, "HTTP 404; mend it")
    assert 20 < tries < MOST


def test_two_senders_share_a_full_outbox_without_a_double(bench: Bench) -> None:
    """Sixty notices, four senders at once: each notice is carried once."""
    bench.outbox.tell([replace(HELD, key=f"k{n}", id=f"n{n}") for n in range(60)])
    boxes = [Box() for _ in range(4)]

    def work(box: Box, owner: str) -> None:
        outbox = Outbox(open_database(bench.url, bench.time), owner, bench.routes)
        while Postman("pager", box, outbox, owner, lambda: 0.0).turn():
            pass
        outbox.database.close()

    threads = [threading.Thread(target=work, args=(box, f"owner-{n}")) for n, box in enumerate(boxes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    got = [notice.id for box in boxes for notice in box.got]
    assert sorted(got) == sorted({f"n{n}" for n in range(60)})
    assert bench.outbox.backlog() == []


def test_a_notice_whose_senders_always_die_is_given_up(bench: Bench) -> None:
    """A bound on crashes too: it is not claimed for ever."""
    bench.outbox.tell([HELD])
    parcel: Parcel | None = None
    for _ in range(MOST):
        parcel = bench.outbox.claim("pager", "dead", 1)
        bench.time.advance(2)
    assert parcel is not None
    box = Box()
    assert Postman("pager", box, bench.outbox, "me", lambda: 0.0).turn()
    assert (box.got, bench.outbox.backlog()[0].given_up) == ([], 1)


def test_old_rows_are_forgotten(bench: Bench) -> None:
    """A month after it was sent; what still waits stays."""
    bench.outbox.tell([HELD])
    bench.drain()
    bench.time.advance(31 * DAY)
    bench.outbox.tell([RESOLVED])
    bench.outbox.tend()
    rows = bench.database.read(lambda c: c.exec_driver_sql("SELECT state FROM outbox").all())
    assert [state for (state,) in rows] == ["waiting"]


def test_a_failing_status_is_one_of_the_known(bench: Bench) -> None:
    """An event of no condition leaves no condition behind."""
    bench.outbox.tell([replace(HELD, topic=Topic.PUBLISHED, status=Status.ONCE)])
    assert bench.outbox.told(Topic.PUBLISHED) == []
    assert len(bench.drain()) == 1
