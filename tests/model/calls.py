"""The state of the world in memory and its calls, with a plan: which fault or act comes at which call.

The invariants of protocol.md section 2 are checked in `apply`, after every effect of ours. Same meaning as the World
of the design's saga_model.py; the steps it meets are the product's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from rotator.domain.errors import LedgerUnavailable, OutcomeUnknown, Refused, Unavailable
from rotator.domain.facts import Facts
from rotator.domain.pair import Consumer, Credential, EscrowContent, Pair, SlotState, Target
from rotator.domain.rotation import Rotation
from rotator.domain.secret import Secret
from tests.model.rules import rule

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CONSUMER = Consumer("00DEX0000000001AAA", "0xIEX00000000014AA", "888EX0000000002AAA", "Billing_Sync", "Billing Sync")
TARGET = Target("salesforce/acme/billing", "client_id", "client_secret", "https://acme.my.salesforce.com", "billing")
PROPAGATION = timedelta(seconds=20)  # W: no server accepts a deleted pair for longer
SETTLE = timedelta(minutes=2)  # no call of a living worker lands later than this after it was sent
USER = "005EX0000000003AAA"
US, THEM = "us", "them"


class Crash(BaseException):
    """The process died. Nothing in the saga may catch this."""


@dataclass(frozen=True)
class Truth:
    """What is true of the org, whatever its profile says (protocol section 6)."""

    staged_pair_accepted: bool = True
    rotated_pair_accepted: bool = True
    secret_readable_again: bool = True
    created_by_given: bool = True
    tokens_die_with_pair: bool = True
    tokens_listed: bool = True
    one_hidden: bool = False  # the listings show all tokens but a reader's first, and say that rows are missing
    slot_id_survives_rotate: bool = False
    delete_slow: bool = True  # a deleted pair logs in once more
    new_pair_slow: bool = False  # the first login of a new pair is refused
    delete_flaps: bool = False  # a deleted pair is refused at first, and then logs in once more
    may_destroy: bool = True  # Vault lets the rotator destroy versions of the live path
    stage_while_blocked: bool = True


class Entry(NamedTuple):
    """An entry of the staged slot, with its true author."""

    id: str
    pair: Pair
    state: SlotState
    author: str


class Late(NamedTuple):
    """A call on its way: it lands before call number `due`, and (if bounded) before `settle` is over."""

    due: int
    obj: str
    effect: Callable[[], Any]
    seen: dict[str, int]
    until: datetime | None


OUTSIDE = ("slot", "live", "escrow", "switch", "tokens")  # objects: an intent must precede every change
HEALTH = (
    "OUTAGE: live serves a pair that is not accepted (1)",
    "OUTAGE: a pair that readers were promised is not accepted (1)",
    "LOSS: the secret of the primary pair is not in Vault (2)",
)


def pair(n: int | str) -> Pair:
    return Pair(f"key{n}", Secret(f"s{n}"))


ACCEPTING = Facts({"staged_pair_accepted": "yes", "rotated_pair_accepted": "yes"})


@dataclass
class Calls:
    """The state of one consumer in one org, of its Vault paths and of the database; every call comes through `io`."""

    truth: Truth = Truth()
    known: Facts = ACCEPTING
    faults: dict[int, Any] = field(default_factory=dict)
    acts: dict[int, str] = field(default_factory=dict)
    sessions: bool = True
    overlap: timedelta = timedelta(hours=24)
    dry_run: bool = False
    block_first: bool = False  # of the force that is asked for next
    stay_blocked: bool = False
    left: Any = None  # the epoch and the picture of a process that waits
    wanted: Any = None  # the trigger of a rotation that was asked for and is not open yet
    # the hook through which operators, strangers and other workers come in (scenes.py)
    act: Callable[[Any, str], None] = lambda w, name: None
    others: Callable[[Any, str], None] = lambda w, kind: None
    # Salesforce
    primary: Pair = field(default_factory=lambda: pair(0))
    slot: list[Entry] = field(default_factory=list)
    lingers: set[Pair] = field(default_factory=set)  # deleted, but logs in once more
    flapping: set[Pair] = field(default_factory=set)  # deleted, and will linger after the next refusal
    tokens: dict[str, tuple[str, datetime]] = field(default_factory=lambda: {"t1": ("key0", START)})
    blocked: bool = False
    owes_block: bool = False  # the old pair logged in after the unblock
    attacker: bool = False  # somebody has stolen the first pair; once a force is opened he logs in whenever he can
    attacking: bool = False
    undead: dict[Pair, datetime] = field(default_factory=dict)  # deleted, but until then it logs in for him
    # Vault
    live: dict[int, Credential] = field(default_factory=lambda: {1: Credential(pair(0), "", {"note": ""})})
    live_number: int = 1
    escrow: dict[int, EscrowContent] = field(default_factory=dict)
    escrow_number: int = 0
    # database
    rows: list[Rotation] = field(default_factory=list)
    epoch: int = 0
    owner: str = ""
    lease_until: datetime = START
    lease_length: timedelta = timedelta()  # what a commit extends the lease by
    publish_cas: int = -1
    escrow_cas: int = -1
    open_intents: list[str] = field(default_factory=list)
    trail: list[tuple[str, str, str]] = field(default_factory=list)
    named: set[str] = field(default_factory=set)  # grants that a row said would be ended
    now: datetime = START
    # the checker's own knowledge
    calls: int = 0
    restarts: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(2))
    minted: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    known_pairs: set[Pair] = field(default_factory=set)  # new pairs that have arrived everywhere
    logged_in: set[Pair] = field(default_factory=lambda: {pair(0)})
    last_accepted: dict[str, datetime] = field(default_factory=dict)
    last_refused: dict[str, datetime] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    promise: tuple[Pair, datetime] | None = None  # a pair owed to its readers, and until when
    decided: int = 0
    blind: set[str] = field(default_factory=set)  # objects written with unknown outcome and not read since
    late: list[Late] = field(default_factory=list)
    acts_done: int = 0  # foreign acts so far
    seen: dict[str, int] = field(default_factory=lambda: {"org": 0, "live": 0})  # ... at the last read of each place
    acts_closed: int = 0  # ... at the look before the last row

    @property
    def acts_seen(self) -> int:
        return min(self.seen.values())

    @property
    def row(self) -> Rotation:
        return self.rows[-1]

    # --- calls -----------------------------------------------------------------------
    def io(self, obj: str, effect: Callable[..., Any] | None = None, *args: Any) -> Any:
        """One call across the process boundary: every fault, foreign act and late effect comes here."""
        self.calls += 1
        call = partial(effect, *args) if effect and args else effect
        if self.late:
            self.land(lambda late: late.due <= self.calls)
        if self.calls in self.acts:
            self.act(self, self.acts[self.calls])
        if self.attacking:
            self.attack()
        fault = self.faults.get(self.calls)
        if fault is not None and fault not in ("garbled", "unclear"):
            return self.fail(fault, obj, call)
        return self.apply(obj, call)

    def fail(self, fault: Any, obj: str, effect: Callable[[], Any] | None) -> Any:
        kind, delay = fault if isinstance(fault, tuple) else (fault, 0)
        outside = effect is not None and obj in OUTSIDE
        if kind.startswith("frozen"):
            return self.freeze(kind, delay, obj, effect)
        if kind in ("applied", "crash-after"):
            self.apply(obj, effect)
        elif kind in ("late", "crash-late") and outside and effect is not None:
            self.check_rules(obj)
            self.late.append(Late(self.calls + delay, obj, effect, dict(self.seen), self.now + SETTLE))
        if outside:
            self.blind.add(obj)
        if kind.startswith("crash"):
            raise Crash
        if obj == "db":
            raise LedgerUnavailable("the database does not answer")
        raise OutcomeUnknown("no answer") if outside else Unavailable("no answer")

    def freeze(self, kind: str, delay: int, obj: str, effect: Callable[[], Any] | None) -> Any:
        """This worker stops here; others take over the lease; then its call goes out after all."""
        seen = dict(self.seen)
        if kind == "frozen-dies":
            if effect is not None and obj in OUTSIDE:
                self.late.append(Late(self.calls + delay, obj, effect, seen, None))
            raise Crash
        self.others(self, kind)
        self.seen = seen
        return self.apply(obj, effect, stale=True)

    def land(self, which: Callable[[Late], bool]) -> None:
        for late in [late for late in self.late if which(late)]:
            self.late.remove(late)
            now, self.seen = self.seen, late.seen
            with suppress(Refused):
                self.apply(late.obj, late.effect, stale=True)
            self.seen = now

    def advance(self, by: timedelta) -> None:
        """Time passes; what is bounded by `settle` lands before it is over."""
        then = self.now + max(by, timedelta(0))
        for at in sorted(late.until for late in self.late if late.until is not None and late.until <= then):
            self.now = max(self.now, at)  # it lands in its own time, not at the end of a long wait
            self.land(lambda late: late.until is not None and late.until <= self.now)
        self.now = then

    def apply(self, obj: str, effect: Callable[[], Any] | None, stale: bool = False) -> Any:
        """The call reaches the far side. The invariants are checked here."""
        if effect is None:
            return self.blind.discard(obj)
        if obj not in OUTSIDE:
            return effect()
        if not stale:
            self.check_rules(obj)
        before = self.health()
        value = effect()
        if self.acts_done == self.acts_seen:  # else somebody else moved the world after our look
            for was_fine, fine, text in zip(before, self.health(), HEALTH, strict=True):
                rule(fine or not was_fine, text)
        return value

    def check_rules(self, obj: str) -> None:
        rule(obj not in self.blind, f"BLIND WRITE on {obj}: unknown outcome, and no look since (4)")
        rule(not any(c.obj == obj and c.until for c in self.late), f"WRITE on {obj} while a late call is due (4)")
        rule(bool(self.open_intents), "NO INTENT before a change outside (13)")

    def attack(self) -> None:
        """What the thief does, before each call."""
        raise TypeError("a world says what can be stolen")

    def health(self) -> tuple[bool, bool, bool]:
        """Whether each line of HEALTH holds."""
        raise TypeError("a world says how it is")
