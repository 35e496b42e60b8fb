"""A rotation among operators, strangers, crashes, clocks and outages, in any order that Hypothesis thinks of.

The steps are the product's own, the world is the one of tests/model: its invariants are checked in each effect. What
this adds is order: many rotations after each other, and every kind of trouble in one story.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rotator.domain.errors import LedgerUnavailable, Refused, Stale, Unavailable
from rotator.domain.pair import fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Goal, State, Trigger
from tests.model import rules
from tests.model.calls import Crash
from tests.model.ends import expected
from tests.model.plans import DELAYS, WORLDS
from tests.model.ports import MemoryLedger
from tests.model.scenes import do, finish, others, start
from tests.model.strangers import FOREIGN
from tests.model.world import World

PLACES = {"vault": ("live", "escrow", "mount", "older"), "org": ("primary", "slot", "login", "tokens"), "db": ("db",)}
FAULTS: tuple[Any, ...] = (
    "crash-before", "crash-after", "lost", "applied", "garbled", "unclear", "forbidden",
    *(("late", d) for d in DELAYS), *(("crash-late", d) for d in DELAYS),
)  # fmt: skip
OPERATOR = ("abandon", "force")
ACTS = (*FOREIGN, *OPERATOR)
CLEAR_NO = ("garbled", "unclear", "forbidden")  # a rotation may fail or hold for these
CALLS = st.integers(1, 45)  # a rotation makes about a hundred in all, in some four runs
TROUBLES = st.lists(st.tuples(CALLS, st.sampled_from((*FAULTS, *OPERATOR))), min_size=1, max_size=3)
FROZEN = st.sampled_from(["frozen", "frozen-next", "frozen-abandon", "frozen-force"]) | st.tuples(
    st.just("frozen-dies"), st.integers(1, 80))  # after so many calls of others its own call lands
TIMES = st.sampled_from([timedelta(seconds=4), timedelta(seconds=50), timedelta(minutes=7), timedelta(hours=5),
                         timedelta(days=3)])  # fmt: skip


@dataclass
class Troubled(World):
    """The world of the model, of which a part may be down for a while, and which may refuse a call."""

    down: set[str] = field(default_factory=set)

    def io(self, obj: str, effect: Callable[..., Any] | None = None, *args: Any) -> Any:
        """A call to what is down changes nothing, and says so; so does one that the far side forbids."""
        if any(obj in PLACES[place] for place in self.down):
            self.calls += 1
            raise LedgerUnavailable("down") if obj == "db" else Unavailable("down")
        if self.faults.get(self.calls + 1) == "forbidden" and obj != "db":
            self.calls += 1
            self.blind.discard(obj)
            raise Refused("403", code="forbidden")
        if self.faults.get(self.calls + 1) == "forbidden":
            del self.faults[self.calls + 1]
        return super().io(obj, effect, *args)


def troubled(name: str) -> Troubled:
    """One of the model's worlds, with nothing planned in it."""
    about: dict[str, Any] = {k: v.copy() if isinstance(v, dict | list) else v for k, v in WORLDS[name].items()}
    return Troubled(act=do, others=others, **about)


class Rotations(RuleBasedStateMachine):
    """One consumer and all that can happen to it. `ends` counts how the stories ended, over all examples."""

    ends: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.w = Troubled()
        self.trail: list[tuple[str, str, str]] = []
        self.played: set[str] = set()
        self.strangers = False  # they come in half of the stories: the others get further

    @initialize(world=st.sampled_from(sorted(WORLDS)), overlap=st.sampled_from([0, 5, 1440]), strangers=st.booleans())
    def begin(self, world: str, overlap: int, strangers: bool) -> None:
        """A world, its overlap in minutes, and the first request."""
        self.w = troubled(world)
        self.w.overlap, self.w.wanted, self.strangers = timedelta(minutes=overlap), Trigger.MANUAL, strangers

    # --- what the rules need to know -----------------------------------------------------
    @property
    def row(self) -> Rotation | None:
        return self.w.rows[-1] if self.w.rows else None

    def is_open(self) -> bool:
        return self.row is not None and not self.row.ended

    def is_held(self) -> bool:
        return self.row is not None and self.row.state is State.HELD

    def has_work(self) -> bool:
        return self.is_open() or self.w.wanted is not None

    def all_up(self) -> bool:
        return not self.w.down

    def process(self, troubles: Sequence[tuple[int, Any]] = ()) -> None:
        """A process of ours starts, and ends as it may. Troubles are faults and acts, by the number of calls from now
        to the first, from there to the second, and so on."""
        w = self.w
        calls = itertools.accumulate((n for n, _ in troubles), initial=w.calls)
        for call, (_, what) in zip(list(calls)[1:], troubles, strict=True):
            (w.acts if what in ACTS else w.faults)[call] = what
        self.played |= {str(fault) for fault in w.faults.values()}
        try:
            start(w, w.wanted)
        except Crash:
            w.restarts += 1
        except (Stale, Unavailable, Refused):
            pass
        finally:
            w.faults, w.acts = {}, {}

    # --- us ------------------------------------------------------------------------------
    @precondition(lambda self: not self.is_open())
    @rule(trigger=st.sampled_from([Trigger.MANUAL, Trigger.SCHEDULED]), dry=st.integers(0, 5))
    def somebody_asks_for_a_rotation(self, trigger: Trigger, dry: int) -> None:
        self.w.wanted, self.w.dry_run = trigger, dry == 0

    @precondition(has_work)
    @rule()
    def a_process_runs(self) -> None:
        self.process()

    @precondition(has_work)
    @rule(troubles=TROUBLES)
    def a_process_meets_trouble(self, troubles: list[tuple[int, Any]]) -> None:
        self.process(troubles)

    @precondition(lambda self: self.is_open() and self.all_up())
    @rule(n=CALLS, kind=FROZEN, act=st.sampled_from(["", *OPERATOR]))
    def a_process_freezes_and_others_go_on(self, n: int, kind: Any, act: str) -> None:
        self.process([(n, kind)])
        if act and self.is_open():
            do(self.w, act)
            self.process()

    # --- operators -----------------------------------------------------------------------
    @precondition(is_open)
    @rule(now=st.booleans())
    def an_operator_abandons(self, now: bool) -> None:
        w = self.w
        try:
            row = MemoryLedger(w).ask_abandon(w.row.id, Who(), now=now)
        except Refused:
            assert w.row.promoting or w.row.force, "an abandon is refused for these reasons only"
            return
        if row.abandon_now and w.promise and w.promise[0].key == row.new_key:
            w.promise = None  # that is what `--now` says: the readers of the new pair are not waited for

    @precondition(lambda self: self.is_open() and self.all_up())
    @rule()
    def an_operator_forces(self) -> None:
        do(self.w, "force")

    @precondition(is_held)
    @rule(discard=st.booleans())
    def an_operator_releases(self, discard: bool) -> None:
        named = fingerprint(self.w.slot[0].pair.key) if discard and self.w.slot else ""
        MemoryLedger(self.w).release(self.w.row.id, Who(), discard_foreign=named)

    # --- strangers -----------------------------------------------------------------------
    @precondition(lambda self: self.strangers)
    @rule(act=st.sampled_from(FOREIGN))
    def a_stranger_acts(self, act: str) -> None:
        do(self.w, act)

    @precondition(lambda self: self.strangers and self.has_work())
    @rule(n=CALLS, act=st.sampled_from(FOREIGN), troubles=TROUBLES)
    def a_stranger_comes_in_between(self, n: int, act: str, troubles: list[tuple[int, Any]]) -> None:
        self.process([*troubles, (n, act)])

    # --- the world -----------------------------------------------------------------------
    @rule(by=TIMES)
    def time_passes(self, by: timedelta) -> None:
        self.w.advance(by)

    @precondition(lambda self: self.row is not None and self.row.next_at is not None)
    @rule()
    def the_wait_is_over(self) -> None:
        due = self.w.row.next_at
        assert due is not None
        self.w.advance(due - self.w.now)

    @rule(place=st.sampled_from(sorted(PLACES)))
    def a_place_goes_down(self, place: str) -> None:
        self.w.down.add(place)

    @precondition(lambda self: self.w.down)
    @rule()
    def all_comes_back(self) -> None:
        self.w.down.clear()

    # --- what must be true, always -------------------------------------------------------
    @invariant()
    def at_most_one_rotation_is_open(self) -> None:
        assert sum(not row.ended for row in self.w.rows) <= 1

    @invariant()
    def the_trail_only_grows(self) -> None:
        kept = self.w.trail[: len(self.trail)]
        assert kept == self.trail, "a row of the trail has changed"
        self.trail = list(self.w.trail)

    @invariant()
    def readers_are_served_and_no_secret_is_lost(self) -> None:
        """By no act of ours; what strangers do is checked where we act after them (World.apply)."""
        if self.w.acts_done == 0:
            assert all(self.w.health()), self.w.health()

    @invariant()
    def what_has_ended_leaves_no_escrow(self) -> None:
        if self.row is not None and self.row.ended:
            assert not self.w.escrow, f"{self.row.state} {self.row.reason}"

    # --- the end -------------------------------------------------------------------------
    def teardown(self) -> None:
        """Once the trouble stops, the rotation comes to rest within a bounded number of calls (invariant 10)."""
        self.w.down.clear()
        if not self.has_work():
            return
        self.w.advance(self.w.lease_until - self.w.now)  # of a process that died
        before = self.w.calls
        state = finish(self.w)
        rules.rule(self.w.calls - before < 5000, f"{self.w.calls - before} calls to come to rest")
        rules.rule(self.w.acts_done > 0 or state in self.rests(), f"ENDED {state} {self.w.row.reason}")
        type(self).ends[state] += 1

    def rests(self) -> tuple[State, ...]:
        """How it may end where no stranger was."""
        w, ends = self.w, set(expected(self.w))
        if any(fault in self.played for fault in CLEAR_NO):
            ends |= {State.FAILED, State.HELD}
        if w.row.goal is Goal.ABANDON:
            ends |= {State.ABANDONED}
        return tuple(ends)

