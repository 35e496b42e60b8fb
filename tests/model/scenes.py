"""What happens in a run: processes that start and die, operators, strangers; and what must be true at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rotator.domain.errors import Refused, Stale, Unavailable
from rotator.domain.rotation import Policy, Who
from rotator.domain.timing import Timing
from rotator.domain.words import ENDED, Goal, State, Trigger
from rotator.ports import Record
from rotator.saga.look import BLANK, Eyes
from rotator.saga.opening import open_rotation
from rotator.saga.runner import Runner
from rotator.saga.worker import Ports, Worker
from tests.model.calls import CONSUMER, PROPAGATION, TARGET, Crash
from tests.model.ends import done_is_true, expected
from tests.model.ports import MemoryClock, MemoryLedger, MemorySalesforce, MemoryVault
from tests.model.rules import Violation, rule
from tests.model.strangers import stranger
from tests.model.world import World

TIMING = Timing(propagation=PROPAGATION, proof_spacing=timedelta(seconds=5))
LEASE = TIMING.lease.total_seconds()
MOST_STARTS = 150
OPERATOR = ("abandon", "force", "force block-first")


def ports(w: World) -> Ports:
    return Ports(MemorySalesforce(w), MemoryVault(w), MemoryLedger(w), MemoryClock(w))


def start(w: World, trigger: Trigger | None) -> None:
    """One process: takes the lease, opens what is asked for or resumes what is open, and runs until it stops."""
    here = ports(w)
    lease = here.ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, f"w{w.epoch + 1}", LEASE)
    if lease is None:
        return w.advance(w.lease_until - w.now)
    row, picture = (w.rows[-1] if w.rows else None), None
    if trigger is not None:
        force = trigger is Trigger.FORCE
        policy = Policy(overlap=w.overlap, sessions=w.sessions, destroy_old=force, dry_run=w.dry_run,
                        block_first=force and w.block_first, stay_blocked=force and w.stay_blocked)
        row, picture = open_rotation(here, lease, app="billing", org="acme", consumer=CONSUMER, target=TARGET,
                                     policy=policy, who=Who(), trigger=trigger)
        w.wanted = None
    if row is not None:
        runner = Runner(Worker(here, lease, row, TIMING))
        runner.run(picture or (w.left[1] if w.left and lease.epoch == w.left[0] + 1 else BLANK))
        w.left = lease.epoch, runner.picture  # the same process goes on after a park, unless it dies
    here.ledger.yield_lease(lease)


def run_to_end(w: World) -> State:
    """Starts processes, as systemd would, until the rotation rests: ended, held, or unproven."""
    for _ in range(MOST_STARTS):
        try:
            start(w, w.wanted)
        except (Crash, Stale, Unavailable) as error:
            w.left = None
            w.restarts += isinstance(error, Crash)
            continue
        if w.wanted is None and w.rows:
            row = w.row
            if row.ended or row.state in (State.HELD, State.UNPROVEN):
                return row.state
            if row.next_at is not None and w.now < row.next_at:
                w.advance(row.next_at - w.now)
    raise Violation(f"DOES NOT END (10): started {MOST_STARTS} times, {w.rows[-1] if w.rows else None}")


def begin(w: World, trigger: Trigger = Trigger.MANUAL) -> None:
    w.wanted = trigger
    w.act, w.others = do, others


def others(w: World, kind: str) -> None:
    """What goes on while a worker is frozen."""
    if kind in ("frozen-abandon", "frozen-force", "frozen-force block-first"):
        do(w, kind.removeprefix("frozen-"))
    if not w.rows:
        return
    run_to_end(w)
    if kind == "frozen-next" and w.row.state is State.DONE:
        begin(w)
        run_to_end(w)


def do(w: World, act: str) -> None:
    """An operator's or a stranger's act; nothing where it does not apply."""
    if act.startswith("force"):
        w.wanted = Trigger.FORCE
        force_now(w, block_first=act != "force")
    elif act == "abandon":
        if w.rows and not w.row.ended and w.row.state is not State.HELD:
            try:
                MemoryLedger(w).ask_abandon(w.row.id, Who())
            except Refused:
                return
    else:
        before = w.primary, tuple(w.slot), w.live_number
        stranger(w, act, w.slot[0] if w.slot else None)
        w.acts_done += before != (w.primary, tuple(w.slot), w.live_number)


def force_now(w: World, *, block_first: bool = False) -> None:
    """Another process opens the force in one transaction; whoever holds the lease finds it at its next commit."""
    def opens(w: World) -> None:
        here = ports(w)
        w.owner = ""  # a force takes over whoever holds the lease
        lease = here.ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "operator", 0)
        assert lease is not None
        open_rotation(here, lease, app="billing", org="acme", consumer=CONSUMER, target=TARGET,
                      policy=Policy(overlap=timedelta(0), sessions=w.sessions, destroy_old=True,
                                    block_first=block_first), who=Who(),
                      trigger=Trigger.FORCE)
        here.ledger.yield_lease(lease)
        w.wanted = None

    undisturbed(w, opens)


def undisturbed(w: World, what: Callable[[World], Any]) -> Any:
    """Without faults and acts, and without counting its calls."""
    plan = w.calls, w.faults, w.acts
    w.faults, w.acts = {}, {}
    try:
        return what(w)
    finally:
        w.calls, w.faults, w.acts = plan


def finish(w: World) -> State:
    """Runs what is open, and checks what must be true however it ended."""
    state = run_to_end(w)
    row, live = w.row, w.live.get(w.live_number)
    left = row.goal is Goal.ABANDON and row.released  # a human saw it held, and said to leave it as it is
    if w.acts_done == w.acts_closed and state in ENDED and not left:  # no foreign act since the last look
        rule(live is None or live.pair == w.primary, f"{state} but live is not the primary pair")
        rule(not w.slot, f"{state} but the slot is not empty (11)")
    rule(state not in ENDED or not w.escrow, f"{state} but a secret is left in escrow (11)")
    rule(state is State.HELD or not w.blocked, f"BLOCKED though {state}")
    rule(not w.owes_block, f"{state}, and the old pair logged in after the unblock: not blocked again")
    if state is State.DONE:
        done_is_true(w)
    trail = len(w.trail)
    rule(undisturbed(w, run_to_end) == state and len(w.trail) == trail, "A RESUME of the end changed something (9)")
    if state is State.UNPROVEN and row.next_at is not None:
        w.advance(row.next_at - w.now)
        again: State = undisturbed(w, run_to_end)  # it keeps proving
        ok = again in (State.UNPROVEN, State.DONE) or (again is State.HELD and w.acts_done > 0)
        rule(ok, f"UNPROVEN became {again}")
        if again is State.DONE:
            done_is_true(w)
        return again
    return state


def block_first(w: World) -> list[State]:
    """A force that blocks the app first, under faults: a refusal is mended and released."""
    w.block_first = True
    return rotations(w, Trigger.FORCE)


def released_if_blocked_again(w: World, state: State) -> State:
    """An old pair logged in later than W after retire: blocked until a human has seen it. Each may do so once."""
    for _ in w.row.old_keys:
        if state is not State.HELD or w.row.reason not in ("old_pair_accepted", "new_refused"):
            return state
        rule(w.blocked and w.row.policy.block_first and bool(w.faults or w.acts), "HELD, but not blocked again")
        MemoryLedger(w).release(w.row.id, Who())
        state = finish(w)
    return state


def stay_blocked(w: World) -> list[State]:
    """It holds before publish, blocked, until a human says `release`."""
    w.block_first = w.stay_blocked = True
    begin(w, Trigger.FORCE)
    states = [finish(w)]
    if w.row.reason == "stay_blocked":
        rule(w.blocked and not w.published, "STAYS BLOCKED, but readers got the new pair")
        MemoryLedger(w).release(w.row.id, Who())
        states.append(released_if_blocked_again(w, finish(w)))
        rule(states[-1] is not State.HELD or w.row.reason != "stay_blocked", "HELD again after the release")
    rule(states[-1] in expected(w), f"ENDED {states[-1]} {w.row.reason} {w.row.message}")
    rule(len(states) == 2 or states[-1] is not State.DONE, "DONE without a release")
    return states


def rotations(w: World, *triggers: Trigger) -> list[State]:
    """One rotation after the other, under faults."""
    states: list[State] = []
    for trigger in triggers:
        before = len(w.published)
        begin(w, trigger)
        states.append(released_if_blocked_again(w, finish(w)))
        rule(states[-1] in expected(w), f"ENDED {states[-1]} {w.row.reason} {w.row.message}")
        if states[-1] is State.HELD and "unclear" in w.faults.values() and w.row.reason == "login":
            MemoryLedger(w).release(w.row.id, Who())
            states.append(finish(w))
            rule(states[-1] in expected(w), f"ENDED {states[-1]} after a release")
        if states[-1] is State.UNPROVEN:
            continue  # the next one takes over what only its proof holds open
        if states[-1] is not State.DONE:
            break
        rule(w.published[before:] == [w.row.new_key], "NOT PUBLISHED exactly once")
    return states


def operated(w: World, trigger: Trigger = Trigger.MANUAL, *, block_first: bool = False) -> list[State]:
    """An operator abandons, or forces over what is open, at some point."""
    w.block_first = block_first
    begin(w, trigger)
    state = released_if_blocked_again(w, finish(w))
    abandoned = state is State.ABANDONED and w.row.goal is Goal.ABANDON
    rule(abandoned or state in expected(w), f"ENDED {state} {w.row.reason} {w.row.message}")
    rule(state is not State.DONE or w.published.count(w.row.new_key) == 1, "NOT PUBLISHED exactly once")
    return [state]


def disturbed(w: World, trigger: Trigger = Trigger.MANUAL, *, block_first: bool = False) -> list[State]:
    """Strangers act. Where we hold a living pair, live ends up accepted; else it ends held. Then a human releases."""
    w.block_first = block_first
    begin(w, trigger)
    states = [finish(w)]
    for _ in range(2):
        live = w.live.get(w.live_number)
        looked = states[-1] is State.HELD or w.acts_done == w.acts_closed
        dead = live is not None and not w.accepts(live.pair) and looked
        rule(not dead or (states[-1] is State.HELD and no_rescue(w)), f"ENDED {states[-1]} with live dead")
        if states[-1] is not State.HELD or len(states) == 2:
            break
        MemoryLedger(w).release(w.row.id, Who())
        states.append(finish(w))
    return states


def attacked(w: World) -> list[State]:
    """A thief has the pair. A force arrives at some step of a routine rotation, and maybe another on top; he logs in
    whenever he can, and may do more: contained and proven, or unproven, or held; never promoted, never lost."""
    w.attacker = True
    states = disturbed(w)
    untouched = w.acts_done == 0 and w.row.force
    rule(not untouched or states[-1] in expected(w), f"ENDED {states[-1]} {w.row.reason} {w.row.message}")
    return states


def no_rescue(w: World) -> bool:
    def looked(w: World) -> bool:
        here = ports(w)
        eyes = Eyes(here.salesforce, here.vault, CONSUMER, TARGET)
        record = Record(w.row, (), w.publish_cas, w.escrow_cas, w.known, w.now)
        return eyes.seen(record, eyes.picture()).rescue is None

    return bool(undisturbed(w, looked))


def frozen(w: World, trigger: Trigger = Trigger.MANUAL) -> list[State]:
    """A worker stops before a call, others go on, its call lands after all."""
    opened = len(w.rows) + 1
    begin(w, trigger)
    states = [run_to_end(w)]
    if states[0] in ENDED and len(w.rows) == opened:
        begin(w)
        states.append(run_to_end(w))
    live = w.live.get(w.live_number)
    rule(live is None or w.accepts(live.pair), "OUTAGE at the end")
    rule(states[-1] not in ENDED or not w.escrow, "a secret is left in escrow (11)")
    rule(states[-1] in ENDED or states[-1] in (State.HELD, *expected(w)), f"ENDED {states[-1]}")
    back = "abandon" in f"{w.acts} {w.faults}"  # then the old pair was written back
    rule(max(Counter(w.published).values(), default=0) <= 1 + back, "PUBLISHED twice")
    return states


SCENES: dict[str, Callable[[World], list[State]]] = {
    "one routine": lambda w: rotations(w, Trigger.MANUAL),
    "two routine": lambda w: rotations(w, Trigger.MANUAL, Trigger.SCHEDULED),
    "force": lambda w: rotations(w, Trigger.FORCE),
    "operator": operated,
    "operator, block-first": lambda w: operated(w, Trigger.FORCE, block_first=True),
    "block-first": block_first,
    "stay-blocked": stay_blocked,
    "foreign": disturbed,
    "foreign, force": lambda w: disturbed(w, Trigger.FORCE),
    "foreign, block-first, force": lambda w: disturbed(w, Trigger.FORCE, block_first=True),
    "attacked": attacked,
    "frozen": frozen,
    "frozen, force": lambda w: frozen(w, Trigger.FORCE),
}
