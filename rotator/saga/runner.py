"""Look, do the first step that is due, look again; until the rotation ends, waits, or needs a human."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from rotator.domain.errors import (
    ConfigError,
    InvariantBroken,
    LedgerUnavailable,
    OutcomeUnknown,
    Refused,
    RotatorError,
    Superseded,
    Unavailable,
    Unintelligible,
    must,
)
from rotator.domain.rotation import Rotation
from rotator.domain.words import Goal, Outcome, State
from rotator.ports import Record
from rotator.saga.holds import Hold
from rotator.saga.look import BLANK
from rotator.saga.requests import PERSON
from rotator.saga.seen import EVERYWHERE, Picture, Seen
from rotator.saga.steps import Step, steps_of
from rotator.saga.worker import LookAgain, Worker

MOST_STEPS = 200  # of one run: a rotation needs about 25
HICCUPS = 3  # short retries inside a run, before the wait goes into the row
SHORT = 2.0  # seconds: the longest sleep of a hiccup


class Runner:
    """Drives one rotation under one lease. Every start is a resume: nothing is remembered that can be seen."""

    def __init__(self, worker: Worker, stop: Callable[[], bool] = lambda: False) -> None:
        self.me, self.stop, self.hiccups = worker, stop, 0
        self.picture = BLANK  # as the last run left it: of use to a next one if nobody else had the lease in between

    def run(self, picture: Picture = BLANK) -> Rotation:
        """Runs until the rotation ends, parks, holds, or a stop is asked for. Gives the row as it then stands.

        `picture`: what was seen just before, by the opening or by the last run of this process, else BLANK.
        Raises Stale where the lease is gone, LedgerUnavailable where no row can be written, InvariantBroken.
        """
        for _ in range(MOST_STEPS):
            record = self._record()
            row = _open(record)
            if self.stop() or not runnable(row, record):
                self.picture = replace(picture, inferred=EVERYWHERE)
                return row
            try:
                picture = self._one_step(record, picture)
                self.hiccups = 0
            except LookAgain:
                picture = BLANK
            except RotatorError as error:
                picture = self._meet(error)
        raise InvariantBroken(f"the rotation of {self.me.target.escrow_name} does not end")

    def _one_step(self, record: Record, picture: Picture) -> Picture:
        """Reads what must be read, and does the first step that is due."""
        eyes = self.me.eyes
        if picture.blank:
            picture = eyes.picture(picture, picture.blank)
        s = eyes.seen(record, picture)
        step = first_due(s)
        doubtful = step.fresh & picture.inferred
        if doubtful:
            return eyes.picture(picture, doubtful)
        return step.run(self.me, s).pic

    def _record(self) -> Record:
        record = self.me.ledger.read(self.me.consumer.org_id, self.me.consumer.consumer_id)
        self.me.read_at(record.now)
        return record

    def _meet(self, error: RotatorError) -> Picture:
        """What an error of a port means for the rotation; the ledger's own errors go to the caller."""
        if isinstance(error, LedgerUnavailable):
            raise error
        if isinstance(error, (OutcomeUnknown, Superseded)):
            return BLANK  # the intent stays open: `settle` deals with it
        if isinstance(error, Unavailable):
            self._wait(error)
        elif isinstance(error, (Refused, Unintelligible, ConfigError)):
            self._stop_for(error)
        else:
            raise error
        return BLANK

    def _wait(self, error: Unavailable) -> None:
        """A short retry at once; then the wait is in the row, and told as `waiting` when it lasts."""
        self.hiccups += 1
        pause = error.retry_after if error.retry_after is not None else 0.2 * 2**self.hiccups
        if self.hiccups <= HICCUPS and pause <= SHORT:
            return self.me.ports.clock.sleep(pause * (1 + self.me.ports.clock.jitter()) / 2)
        s = self._blind()
        since = s.row.failing_since or s.now
        state = State.WAITING if s.now - since >= self.me.timing.vault_wait else s.row.state
        until = s.now + max(self.me.pace(s.row.tries), timedelta(seconds=error.retry_after or 0))
        self.me.decide(s, s.row.step or "settle", Outcome.FAILED, error=error.message, state=state, next_at=until,
                       failing_since=since, tries=s.row.tries + 1, reason=error.code, message=error.message,
                       fix=error.fix)
        self.hiccups = 0

    def _stop_for(self, error: RotatorError) -> None:
        """A clear no to a read: before anything was begun the rotation has failed, later a human must mend it."""
        s = self._blind()
        row = s.row  # a force goes on with what its parent began; after a discard the escrow still holds the pair
        begun = (row.new_key or row.posting or row.switch or s.unknown or row.goal is Goal.ABANDON or row.parent_id
                 or row.discards or row.receive_until)
        if begun or isinstance(error, Unintelligible):
            fix = f"{error.fix}; then `rotator release {row.app}`"
            self.me.hold(s, Hold(error.code, error.message, fix))
        else:
            self.me.decide(s, "abandon", Outcome.REFUSED, error=error.message, state=State.FAILED, ended_at=s.now,
                           next_at=None, reason=error.code, message=error.message, fix=error.fix)

    def _blind(self) -> Seen:
        """Row and trail without a look: enough to write down that no look was possible."""
        return self.me.eyes.seen(self._record(), BLANK)


def first_due(s: Seen) -> Step:
    """Raises InvariantBroken where no step is due: every picture of the world must have one (invariant 10)."""
    step = next((step for step in steps_of(s.row) if step.due(s)), None)
    if step is None:
        raise InvariantBroken(f"no step is due for {s.row.app}: a picture of the world that the protocol forgot")
    return step


def runnable(row: Rotation, record: Record) -> bool:
    """Open, not held, and not parked."""
    return awake(row, record.now)


def awake(row: Rotation, now: datetime) -> bool:
    """The same, at this time of the database's clock. Held with a time (assisted): looked at again then."""
    if row.state is State.HELD and row.goal is Goal.ABANDON and row.reason in PERSON:
        return True  # the abandon came just before the hold
    waits = any(until is not None and now < until for until in (row.next_at, row.gives_way_until))
    given_up = row.state is State.UNPROVEN and row.next_at is None
    held = row.state is State.HELD and row.next_at is None
    return not (row.ended or held or waits or given_up)


def _open(record: Record) -> Rotation:
    return must(record.rotation, "the consumer's rotation")


