"""One app's way through a command: found, claimed, opened or resumed, and driven until it comes to rest.

An errand never blocks: each turn does what can be done now and gives the lease back, so that many of them are driven
side by side, and so that an abandon, a force or another machine can step in while one waits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rotator.domain.errors import LeaseTaken, RotatorError, must
from rotator.domain.pair import Consumer, Pair, fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.timing import Timing
from rotator.domain.words import State, Trigger, Word
from rotator.ports import Clock, Lease, Record
from rotator.saga.look import BLANK
from rotator.saga.requests import proof_is_old, same_order
from rotator.saga.runner import Runner, runnable
from rotator.saga.seen import Picture
from rotator.saga.worker import Ports, Report, Worker

SHORTEST = 0.02  # seconds between two rounds
PRESSING = 0.2  # seconds between two tries of a force to get the lease
LATE = 1.0  # seconds beyond a lease, after which a dead worker's is surely over


class Until(StrEnum):
    """How far a command goes."""

    OVERLAP = "overlap"  # the new pair is live
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a command stays: until it is told to stop, or its `--timeout` is over."""

    clock: Clock
    stopped: Callable[[], bool] = lambda: False
    end: float = float("inf")  # by the clock's monotonic time

    def over(self) -> bool:
        return self.stopped() or self.clock.monotonic() >= self.end


@dataclass(frozen=True, slots=True)
class Setting:
    """What all errands of one command share."""

    timing: Timing
    poll: timedelta
    owner: str  # of the leases: names this process
    patience: Patience
    report: Report = lambda event, row: None
    waits: Callable[[Rotation, datetime], None] = lambda row, now: None  # told while one is parked


@dataclass(frozen=True, slots=True)
class Way:
    """How to get at a consumer. Without `open` nothing new is begun: only what is open is followed."""

    ports: Ports
    consumer: Consumer
    open: Callable[[Lease], tuple[Rotation, Picture]] | None = None
    row: Rotation | None = None  # what is open
    trigger: Trigger = Trigger.MANUAL  # of what `open` opens
    order: Who | None = None  # a force's: what is open and not of this order is taken over, whoever works at it
    ended: Callable[[Rotation], None] = lambda row: None  # told when a rotation ends in our hands


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a person says to an assisted rotation, held or not; with a pair where one is handed over."""

    word: Word
    who: Who
    pair: Pair | None = None


class Errand:
    """Follows one consumer. `row` is its rotation as last seen; `error` says why there is none, or why it stopped."""

    def __init__(self, setting: Setting, app: str, until: Until, find: Callable[[], Way], *,
                 undoes: bool = False, spoken: Spoken | None = None) -> None:
        """`find` is asked once, at the first turn. `undoes`: an abandoned rotation is what was wanted. `spoken`: said
        under the lease before anything is done; whoever says that Apply was clicked stays while it is polled for."""
        self.setting, self.app, self.until, self.undoes = setting, app, until, undoes
        self.row: Rotation | None = None
        self.error: RotatorError | None = None
        self.finished = False
        self.idle = 0.0  # seconds for which another turn would find nothing to do
        self._find = find
        self._way: Way | None = None
        self._spoken, self._stays = spoken, spoken is not None and spoken.word is Word.APPLIED
        self._memory: Pair | None = None  # the answer to our own POST, while this process lives
        self._last: tuple[int, Picture] = (-2, BLANK)  # epoch of the last lease, and what was seen under it
        self._began: datetime | None = None
        self._contended = False
        self._patience_with_others = float("inf")
        self._seize = False  # a force has waited long enough for the lease

    @classmethod
    def left_alone(cls, setting: Setting, row: Rotation, until: Until) -> Errand:
        """One that has nothing to do: its rotation is only told."""
        errand = cls(setting, row.app, until, lambda: must(None, "a way"))
        errand.row, errand.finished = row, True
        return errand

    def behind(self, since: datetime) -> None:
        """Another worker of this process is at it: what that one finishes from now on is what was asked for."""
        self._contended, self._began = True, since

    @property
    def at_rest(self) -> bool:
        """Nothing more will happen to it by this command."""
        polled = self._stays and self.row is not None and self.row.reason == "await_apply"
        return self.row is not None and rests(self.row, self.until) and not polled

    def turn(self) -> None:
        """Does what can be done now; nothing where it is finished. Errors end up in `error`."""
        if self.finished:
            return
        try:
            self._turn()
        except RotatorError as error:
            self.error, self.finished = error, True

    def _turn(self) -> None:
        if self._way is None:
            self._way = self._find()
            self.row = self._way.row
        way, self.idle = self._way, 0.0
        record = way.ports.ledger.read(way.consumer.org_id, way.consumer.consumer_id)
        self._began = self._began or record.now
        if not self._wanted(record):
            return
        with self._lease(way, record) as lease:
            if lease is not None:
                self._work(way, lease)
        self.finished = self.finished or self.at_rest

    def _wanted(self, record: Record) -> bool:
        """Whether there is something to do now, as the ledger tells it; follows what others did meanwhile."""
        found = record.rotation
        if found is not None and self._is_ours(found):
            self.row = found
            if self._spoken is not None or runnable(found, record):
                return True
            self.finished = self.at_rest
            self._wait(found, record.now)
            return False
        self.finished = self.row is not None or must(self._way, "the way").open is None
        if self.row is not None and not self.row.ended:
            self._overtaken(self.row)
        return not self.finished

    def _overtaken(self, row: Rotation) -> None:
        """Another order took over: our rotation has ended meanwhile."""
        rows = must(self._way, "the way").ports.ledger.rotations(open_only=False, app=row.app)
        self.row = next((one for one in rows if one.id == row.id), row)

    def _wait(self, row: Rotation, now: datetime) -> None:
        poll = self.setting.poll.total_seconds()
        self.idle = min(poll, (row.next_at - now).total_seconds()) if row.next_at else poll
        if not self.finished:
            self.setting.waits(row, now)

    def _is_ours(self, found: Rotation) -> bool:
        """An open one; the one that we follow; or one that another command finished under our eyes."""
        followed = self.row is not None and self.row.id == found.id
        way = must(self._way, "the way")
        if way.order is not None and not same_order(found, way.order):
            return False  # a force takes over
        if way.open is not None and not followed and proof_is_old(found, way.trigger):
            return False  # only its proof holds it open: what is asked for takes over
        if not found.ended or followed:
            return True
        return self._contended and must(found.ended_at, "an end") >= must(self._began, "a beginning")

    @contextmanager
    def _lease(self, way: Way, record: Record) -> Iterator[Lease | None]:
        """The lease while inside; None where another worker has it. Raises LeaseTaken when that lasts too long; a force
        takes it then."""
        setting, ledger = self.setting, way.ports.ledger
        seconds = setting.timing.lease.total_seconds()
        place = (way.consumer.org_id, way.consumer.consumer_id)
        lease = ledger.claim(*place, setting.owner, seconds, seize=self._seize)
        if lease is None:
            self._others(way, record.rotation, seconds)
            yield None
            return
        self._patience_with_others = float("inf")
        try:
            yield lease
        finally:
            with contextlib.suppress(RotatorError):
                ledger.yield_lease(lease)

    def _others(self, way: Way, found: Rotation | None, lease: float) -> None:
        """Somebody else is at it. A force asks for the way once; after a lease it no longer asks."""
        now = self.setting.patience.clock.monotonic()
        takes = way.order is not None and not (found is not None and same_order(found, way.order))
        if takes and not self._contended and found is not None and way.order is not None:
            way.ports.ledger.ask_way(found.id, way.order, lease)
        self._contended, self.idle = True, min(self.setting.poll.total_seconds(), lease / 4)
        self._patience_with_others = min(self._patience_with_others, now + lease + LATE)
        if takes:
            self.idle, self._seize = PRESSING, now >= self._patience_with_others
        elif now >= self._patience_with_others:
            raise LeaseTaken(f"another worker is at {self.app}")

    def _work(self, way: Way, lease: Lease) -> None:
        """Under the lease: looks once more at what is open, opens where nothing is, runs."""
        record = way.ports.ledger.read(way.consumer.org_id, way.consumer.consumer_id)
        if not self._wanted(record):
            return
        self._say(way)
        epoch, picture = self._last
        if lease.epoch != epoch + 1:
            picture = BLANK  # another worker was here in between
        if self.row is None or self.row.ended:
            self.row, picture = must(way.open, "an opening")(lease)
        worker = Worker(way.ports, lease, self.row, self.setting.timing, self.setting.report)
        worker.eyes.memory = self._memory
        runner = Runner(worker, self.setting.patience.over)
        try:
            self.row = runner.run(picture)
            if self.row.ended:
                way.ended(self.row)
        finally:
            self._memory, self._last = worker.eyes.memory, (lease.epoch, runner.picture)

    def _say(self, way: Way) -> None:
        """Once, and to what is open. Raises Refused where the word does not fit."""
        if self._spoken is None or self.row is None:
            return
        said, self._spoken = self._spoken, None
        key_fp = fingerprint(said.pair.key) if said.pair else ""
        self.row = way.ports.ledger.say(self.row.id, said.who, said.word, key_fp)
        self._memory = said.pair or self._memory


def rests(row: Rotation, until: Until) -> bool:
    """Whether a command that goes this far leaves the rotation alone, unless its time comes."""
    reached = row.state is State.OVERLAP and until is Until.OVERLAP
    return row.ended or reached or row.state in (State.HELD, State.UNPROVEN, State.WAITING)


def attend(errands: Sequence[Errand], setting: Setting) -> None:
    """Turns all errands until each is finished or the patience is over; sleeps between the rounds."""
    clock, waiting = setting.patience.clock, [errand for errand in errands if not errand.finished]
    while waiting:
        for errand in waiting:
            errand.turn()
            if setting.patience.over():
                return
        waiting = [errand for errand in waiting if not errand.finished]
        if waiting:
            clock.sleep(max(SHORTEST, min(errand.idle for errand in waiting)))


def driven(errand: Errand) -> Errand:
    """One errand, turned until it is finished or the patience is over."""
    attend([errand], errand.setting)
    return errand
