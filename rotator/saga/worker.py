"""One process that holds the lease: what a step may do to the ledger and to the outside, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Unpack

from rotator.domain.changes import Changes
from rotator.domain.errors import CasMismatch, Refused, RotatorError, SlotTaken, Unavailable
from rotator.domain.event import Event
from rotator.domain.facts import Facts
from rotator.domain.pair import Consumer, Pair
from rotator.domain.rotation import Rotation
from rotator.domain.session import Login
from rotator.domain.timing import Timing
from rotator.domain.words import Outcome, Phase, State
from rotator.ports import Clock, Lease, Ledger, Logins, Salesforce, Vault
from rotator.saga.holds import Hold
from rotator.saga.look import Eyes
from rotator.saga.seen import Seen

Report = Callable[[Event, Rotation], None]


class Unlimited:
    """ports.Logins without a budget."""

    def ask(self, consumer: Consumer, *, forced: bool) -> None:
        """Always within it."""

    def belongs(self, consumer: Consumer, user: str) -> None:
        """Nothing to remember."""


UNLIMITED = Unlimited()


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside, as one rotation sees it."""

    salesforce: Salesforce
    vault: Vault
    ledger: Ledger
    clock: Clock
    logins: Logins = UNLIMITED


class LookAgain(Exception):
    """No error: a clear refusal stands in the trail, and whatever it means is read from the world."""


class Worker:
    """Commits intents and outcomes around the calls of the steps. Holds no state but the answer to its own POST."""

    def __init__(self, ports: Ports, lease: Lease, rotation: Rotation, timing: Timing,
                 report: Report = lambda event, row: None) -> None:
        self.ports, self.lease, self.timing, self.report = ports, lease, timing, report
        self.salesforce, self.vault, self.ledger = ports.salesforce, ports.vault, ports.ledger
        self.consumer, self.target = rotation.consumer, rotation.target
        self.eyes = Eyes(ports.salesforce, ports.vault, self.consumer, self.target, self.alive)
        self._extended = ports.clock.monotonic()
        self._logins = 0  # not yet in the row
        self._sent: float | None = None  # when the last intent was committed
        self._answered = ("", "")  # the far sides' ids of the calls before the last row
        self._forced = rotation.force
        self._read = (datetime.min.replace(tzinfo=UTC), 0.0)  # the database's time at the last read, and ours

    # --- time and lease ------------------------------------------------------------------
    def alive(self) -> None:
        """Before each call outside: keeps the lease, or learns that it is gone (raises Stale)."""
        now = self.ports.clock.monotonic()  # before the call: this process may be frozen while it waits for the answer
        if now - self._extended > self.timing.lease.total_seconds() / 3:
            self.ledger.extend(self.lease, self.timing.lease.total_seconds())
            self._extended = now

    def read_at(self, now: datetime) -> None:
        """The ledger was read just now; `now` is what the database's clock said."""
        self._read = (now, self.ports.clock.monotonic())

    def now(self) -> datetime:
        """The database's clock, moved on by what the calls since the last read took."""
        now, at = self._read
        return now + timedelta(seconds=self.ports.clock.monotonic() - at)

    # --- rows ----------------------------------------------------------------------------
    def intent(self, s: Seen, step: str, /, *, evidence: Mapping[str, object] | None = None,
               publish_cas: int | None = None, escrow_cas: int | None = None, **changes: Unpack[Changes]) -> Seen:
        """Committed before a change outside; carries the epoch, the rotation and the goal that were seen."""
        event = Event(step, Phase.INTENT, evidence=evidence or {})
        s = self._commit(s, event, changes, publish_cas=publish_cas, escrow_cas=escrow_cas)
        return replace(s, publish_cas=s.publish_cas if publish_cas is None else publish_cas,
                       escrow_cas=s.escrow_cas if escrow_cas is None else escrow_cas)

    def outcome(self, s: Seen, step: str, outcome: Outcome = Outcome.OK, /, *, error: RotatorError | None = None,
                evidence: Mapping[str, object] | None = None, vault_version: int | None = None,
                learned: Mapping[str, str] | None = None, **changes: Unpack[Changes]) -> Seen:
        """Closes the open intents: nothing new is sent while one is unknown."""
        event = Event(step, Phase.OUTCOME, outcome, vault_version=vault_version, evidence=evidence or {},
                      error=error.message if error else "", http_status=error.http_status if error else None,
                      request_id=(error.request_id if error else self._request_id(step)) or "")
        fine: Changes = {"refused_calls": 0, **goes_on(s)} if outcome is Outcome.OK else {}
        s = self._commit(s, event, {**fine, **changes}, learned=learned)
        return replace(s, unknown=(), facts=_learn(s, learned))

    def observe(self, s: Seen, step: str, outcome: Outcome = Outcome.OK, /, *,
                evidence: Mapping[str, object] | None = None, learned: Mapping[str, str] | None = None,
                **changes: Unpack[Changes]) -> Seen:
        """Something seen that mattered, with no change outside before it."""
        event = Event(step, Phase.OBSERVE, outcome, evidence=evidence or {}, request_id=self._request_id(step))
        fine = goes_on(s)
        s = self._commit(s, event, {**fine, **changes}, learned=learned)
        return replace(s, facts=_learn(s, learned))

    def decide(self, s: Seen, step: str, outcome: Outcome | None = None, /, *, error: str = "",
               evidence: Mapping[str, object] | None = None, **changes: Unpack[Changes]) -> Seen:
        """A decision, without a change outside."""
        return self._commit(s, Event(step, Phase.DECISION, outcome, error=error, evidence=evidence or {}),
                            changes)

    def hold(self, s: Seen, hold: Hold, **changes: Unpack[Changes]) -> Seen:
        """Stops until a human says `release`."""
        held: Changes = {"state": State.HELD, "reason": hold.code, "message": hold.message, "fix": hold.fix,
                         "next_at": None, "released": False, **changes}
        return self.decide(s, "hold", Outcome.HELD, error=hold.message,
                           evidence={"code": hold.code, "fix": hold.fix}, **held)

    def park(self, s: Seen, step: str, until: datetime, state: State = State.RUNNING, /,
             **changes: Unpack[Changes]) -> Seen:
        """Nothing more until then; the row waits, no thread does."""
        parked: Changes = {"state": state, "next_at": until, **changes}
        return self.decide(s, step, evidence={"until": until.isoformat()}, **parked)

    def _commit(self, s: Seen, event: Event, changes: Changes, *, publish_cas: int | None = None,
                escrow_cas: int | None = None, learned: Mapping[str, str] | None = None) -> Seen:
        changes, event = {**changes, "step": event.step}, self._measured(event)
        if self._logins:
            changes = {**changes, "logins": s.row.logins + self._logins}
        began = self.ports.clock.monotonic()
        row = self.ledger.commit(self.lease, s.row, event, changes, publish_cas=publish_cas, escrow_cas=escrow_cas,
                                 learned=learned)
        self._logins = 0
        self._extended = began
        self._sent = self.ports.clock.monotonic() if event.phase is Phase.INTENT else None
        self.report(event, row)
        return replace(s, row=row)

    def _measured(self, event: Event) -> Event:
        """An outcome with the time since its intent; any row with the ids of both far sides where both were asked."""
        before, self._answered = self._answered, (self.salesforce.request_id, self.vault.request_id)
        if all(now and now != then for now, then in zip(self._answered, before, strict=True)):
            ids = dict(zip(("salesforce", "vault"), self._answered, strict=True))
            event = replace(event, evidence={**event.evidence, "request_ids": ids})
        if event.phase is not Phase.OUTCOME or self._sent is None:
            return event
        return replace(event, duration_ms=round((self.ports.clock.monotonic() - self._sent) * 1000))

    def _request_id(self, step: str) -> str:
        at_vault = step in ("escrow", "canary", "publish", "restore", "fence", "destroy", "close")
        return self.vault.request_id if at_vault else self.salesforce.request_id

    # --- calls outside -------------------------------------------------------------------
    @contextmanager
    def changing(self, s: Seen, step: str) -> Iterator[None]:
        """Around the one call of a change. A clear no is recorded as such; an unknown outcome stays open for `settle`.

        Raises LookAgain after a refusal, Unavailable (recorded: nothing was changed), OutcomeUnknown, SlotTaken.
        """
        self.alive()
        try:
            yield
        except SlotTaken:
            raise
        except Refused as error:
            gentle = isinstance(error, CasMismatch)  # somebody else wrote: the next look says what it means
            said: Changes = {"refused_calls": s.row.refused_calls + 1, "message": error.message,
                             "fix": "" if gentle else error.fix}
            if step == "publish":
                said["publish_version"] = -1
            if step == "block":
                said["switch"] = ""
            self.outcome(s, step, Outcome.REFUSED, error=error, **said)
            raise LookAgain from None
        except Unavailable as error:
            self.outcome(s, step, Outcome.REFUSED, error=error)
            raise

    def login(self, pair: Pair) -> Login:
        """A token request; counted against the login budget."""
        self.alive()
        self.ports.logins.ask(self.consumer, forced=self._forced)
        self._logins += 1
        login = self.salesforce.login(pair)
        self.ports.logins.belongs(self.consumer, login.user_id)
        return login

    def pace(self, tries: int, least: float = 5.0, most: float = 300.0) -> timedelta:
        """Exponential, jittered: 5 to 10 s, 10 to 20 s, ... at most `most` seconds."""
        return timedelta(seconds=min(most, least * 2**min(tries, 16)) * (1 + self.ports.clock.jitter()) / 2 + least / 2)


def goes_on(s: Seen) -> Changes:
    """What a step that went well, or was answered at all, says of the row: it runs."""
    why: Changes = {} if s.abandoning else {"reason": "", "message": "", "fix": ""}  # an abandon keeps saying why
    return {"state": State.RUNNING, "next_at": None, "tries": 0, "failing_since": None, **why}


def _learn(s: Seen, learned: Mapping[str, str] | None) -> Facts:
    facts = s.facts
    for name, value in (learned or {}).items():
        facts = facts.learn(name, value)
    return facts
