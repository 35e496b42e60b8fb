"""Any history that a ledger can have, with deaths in it (Hypothesis, stateful); the end checks what must hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import Connection

from rotator.adapters.sql import retention
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.orgs import Orgs
from rotator.adapters.sql.pauses import Pauses
from rotator.domain.errors import RotatorError
from rotator.domain.pause import Scope
from rotator.domain.rotation import Rotation
from rotator.domain.words import Claim, Goal, Outcome, State, Trigger
from rotator.ports import Lease
from tests.contract.ledger_ports import CONSUMER, CONTEXT, START, WHO, MovedTime, RealClock, intent, opening, outcome

T = TypeVar("T")
OTHER = replace(CONSUMER, consumer_id="888EX0000000003AAA", app_name="Order_Export")
TIMES = st.none() | st.integers(0, 10**6).map(lambda s: START + timedelta(seconds=s, microseconds=7))
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(State), "goal": st.sampled_from(Goal), "message": st.text(max_size=5),
        "new_key": st.sampled_from(["", "key1", "key2"]), "promoting": st.booleans(), "next_at": TIMES,
        "publish_version": st.integers(-1, 9), "claims": st.just({"slot": Claim.PROVEN}), "overlap_until": TIMES,
    },
)  # fmt: skip
CAS = st.none() | st.integers(-1, 9)


class Died(Exception):
    """The process ended here."""


class Frail(Database):
    """A database whose process may die before its next commit takes effect."""

    dies = False

    def write(self, work: Callable[[Connection], T]) -> T:
        """See Database; dies with all that was not committed."""
        if not self.dies:
            return super().write(work)
        self.dies = False
        with self.engine.connect().execution_options(readonly=False) as connection, connection.begin():
            work(connection)
            raise Died


class Histories(RuleBasedStateMachine):
    """Two consumers, one worker after another. A subclass gives `url` and `ended`."""

    url: Callable[[], str]
    ended: Callable[[Database], None]

    def __init__(self) -> None:
        super().__init__()
        self.database = Frail(type(self).url(), clock=RealClock(), now=MovedTime(), patience=1.0)
        self.ledger = SqlLedger(self.database, CONTEXT)
        self.leases: dict[str, Lease] = {}
        self.seen: dict[str, Rotation] = {}

    @initialize()
    def both_are_claimed(self) -> None:
        for consumer in (CONSUMER, OTHER):
            self.claimed(consumer.consumer_id)

    def claimed(self, of: str) -> None:
        lease = self.ledger.claim(CONSUMER.org_id, of, "worker", 30)
        assert lease is not None
        self.leases[of] = lease

    def attempt(self, of: str, act: Callable[[], Rotation]) -> None:
        """What is refused, and what dies, leaves things as they were; so may what breaks a rule of the tables."""
        try:
            self.seen[of] = act()
        except (RotatorError, Died):
            self.claimed(of)

    @rule(of=st.sampled_from([CONSUMER, OTHER]), trigger=st.sampled_from(Trigger))
    def one_is_opened(self, of: Any, trigger: Trigger) -> None:
        wanted = opening(trigger, consumer=of)
        self.attempt(of.consumer_id, lambda: self.ledger.open(self.leases[of.consumer_id], wanted))

    @rule(of=st.sampled_from([CONSUMER.consumer_id, OTHER.consumer_id]), step=st.sampled_from(["stage", "publish"]),
          changes=CHANGES, publish=CAS, escrow=CAS)  # fmt: skip
    def an_intent(self, of: str, step: str, changes: Any, publish: Any, escrow: Any) -> None:
        self.commit(of, intent(step), changes, publish_cas=publish, escrow_cas=escrow)

    @rule(of=st.sampled_from([CONSUMER.consumer_id, OTHER.consumer_id]), what=st.sampled_from(Outcome),
          changes=CHANGES)  # fmt: skip
    def an_outcome(self, of: str, what: Outcome, changes: Any) -> None:
        self.commit(of, outcome("stage", what), changes, learned={"created_by_given": "yes"})

    def commit(self, of: str, event: Any, changes: Any, **more: Any) -> None:
        if of in self.seen:
            lease, seen = self.leases[of], self.seen[of]
            self.attempt(of, lambda: self.ledger.commit(lease, seen, event, changes, **more))

    @rule(of=st.sampled_from([CONSUMER.consumer_id, OTHER.consumer_id]),
          what=st.sampled_from(["abandon", "release", "hold"]))  # fmt: skip
    def an_operator_acts(self, of: str, what: str) -> None:
        if of not in self.seen:
            return
        id_ = self.seen[of].id
        acts = {"abandon": lambda: self.ledger.ask_abandon(id_, WHO), "release": lambda: self.ledger.release(id_, WHO),
                "hold": lambda: self.ledger.hold(id_, WHO, code="x", message="m", fix="f")}  # fmt: skip
        self.attempt(of, acts[what])

    @rule(act=st.sampled_from(["pause", "brief", "resume", "hold", "release", "pin"]), name=st.sampled_from(["", "a"]))
    def something_beside_is_said(self, act: str, name: str) -> None:
        scope, told = Scope.APP if name else Scope.ALL, Pauses(self.database, CONTEXT)
        acts: dict[str, Callable[[], object]] = {
                "pause": lambda: told.begin(scope, name, "", WHO), "brief": lambda: told.begin(scope, name, "", WHO, 0),
                "resume": lambda: told.lift(scope, name, "", WHO),
                "hold": lambda: retention.hold(self.database, CONTEXT, WHO, scope, name, release=False),
                "release": lambda: retention.hold(self.database, CONTEXT, WHO, scope, name, release=True),
                "pin": lambda: Orgs(self.database, CONTEXT).pin(name or "b", CONSUMER.org_id)}  # fmt: skip
        with suppress(Died):
            acts[act]()

    @rule()
    def the_next_commit_dies(self) -> None:
        self.database.dies = True

    def teardown(self) -> None:
        """What was told, and what the trail tells, is one."""
        self.database.dies = False
        for lease in self.leases.values():
            self.ledger.yield_lease(lease)
        type(self).ended(self.database)
        self.database.close()
