"""Classic connected apps in the model: a person beside the worker, in the same world and under the same faults.

The person does what the row asks for: generates, hands over, clicks Apply; or makes one mistake first. The steps are
the product's; the ports and the invariants are those of the other scenes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rotator.domain.errors import Refused, Stale, Unavailable
from rotator.domain.pair import Pair, fingerprint
from rotator.domain.rotation import Policy, Who
from rotator.domain.secret import Secret
from rotator.domain.timing import Timing
from rotator.domain.words import Goal, State, Trigger, Word
from rotator.ports import Lease
from rotator.saga.look import BLANK
from rotator.saga.opening import open_rotation
from rotator.saga.requests import AWAITED
from rotator.saga.runner import Runner
from rotator.saga.worker import Ports, Worker
from tests.model.calls import CONSUMER, PROPAGATION, TARGET, Crash, Truth
from tests.model.ends import done_is_true
from tests.model.rules import Violation, rule
from tests.model.scenes import LEASE, ports, undisturbed
from tests.model.world import World

MOST_STARTS = 400
TIMING = Timing(propagation=PROPAGATION)
CLASSIC = replace(CONSUMER, assisted=True)
MISTAKES = ("typing error", "old pair", "generates twice", "applies first", "comes late", "never says", "applies late")
ACTS = ("applies", "generates", "abandons", "abandons now", "forces")


@dataclass
class Setup(World):
    """The world with a person in Setup. `generated_accepted`: what was generated logs in before Apply."""

    generated_accepted: bool = False
    apply_ends_tokens: bool = True
    generated: Pair | None = None
    mistake: str = ""  # the one that the person will make next
    typed: Pair | None = None  # what the person typed last, and what of it reached the ledger
    taken: Pair | None = None
    told_so: bool = False  # the person has said `applied` of it
    wants_force: bool = False
    applied_at: int = 0  # calls: when Apply was clicked, and when a pair was last asked for a token
    asked_at: int = 0

    def accepts(self, one: Pair) -> bool:
        return super().accepts(one) or (self.generated_accepted and one == self.generated)

    def login(self, one: Pair) -> str | None:
        self.asked_at = self.calls
        token = super().login(one)
        if token is None:
            self.last_refused[one.key] = self.now
        return token

    def generate(self) -> None:
        """Overwrites what was generated before."""
        self.generated = self.new_pair(self.minted)

    def apply_in_setup(self) -> None:
        """Irreversible; nothing where nothing was generated."""
        if self.generated is None:
            return
        old, self.primary, self.generated = self.primary, self.generated, None
        self.applied_at = self.calls
        self.undead[old] = self.now + PROPAGATION
        self.lingers |= {old} if self.truth.delete_slow else set()
        self.flapping |= {old} if self.truth.delete_flaps else set()
        if self.apply_ends_tokens:
            self.tokens = {}

    def shown(self) -> Pair:
        """The pair that Setup shows as the new one; generated where there is none yet."""
        if self.generated is None and not self.in_force:
            self.generate()
        return self.generated or self.primary

    @property
    def in_force(self) -> bool:
        """A pair that was generated for this rotation has been applied."""
        return self.primary.key in self.minted and int(self.primary.key[3:]) > self.decided


Said = tuple[Word | None, Pair | None]
NOTHING: Said = (None, None)


def turn(w: Setup, said: Said = NOTHING) -> None:
    """One process: takes the lease, says the person's word, and runs until it stops."""
    here = ports(w)
    lease = here.ledger.claim(CLASSIC.org_id, CLASSIC.consumer_id, f"w{w.epoch + 1}", LEASE)
    if lease is None:
        return w.advance(w.lease_until - w.now)
    if not w.rows or w.wants_force:
        said = NOTHING
        opens(w, here, lease)
    word, pair = said
    if word is not None and not w.row.ended:
        here.ledger.say(w.row.id, Who(), word, fingerprint(pair.key) if pair else "")
        w.taken, w.told_so = pair or w.taken, pair is None
    worker = Worker(here, lease, w.row, TIMING)
    worker.eyes.memory = pair
    Runner(worker).run(BLANK)
    here.ledger.yield_lease(lease)


def opens(w: Setup, here: Ports, lease: Lease) -> None:
    force = w.wants_force
    open_rotation(here, lease, app="billing", org="acme", consumer=CLASSIC, target=TARGET, who=Who(),
                  trigger=Trigger.FORCE if force else Trigger.MANUAL,
                  policy=Policy(overlap=w.overlap, sessions=w.sessions, destroy_old=force))
    w.wants_force = False
    if force:
        w.generated = None  # what was generated before the decision is not used


def answers(w: Setup) -> Said:
    """What the person does and says next, as the row asks for it."""
    row, mistake = w.row, w.mistake
    if row.goal is Goal.ABANDON:
        return NOTHING
    if row.state is State.HELD and row.reason in AWAITED:
        return hands_over(w, mistake)
    if row.reason == "both_refused":
        return replaces(w)
    if row.reason == "await_apply" and (mistake == "applies late" or w.told_so):
        return NOTHING
    if row.reason in ("await_apply", "apply_late"):
        kept = w.escrow.get(w.escrow_number)
        rule(kept is not None and kept.new == w.taken, "APPLY ALLOWED, but what was handed over is not in escrow")
        if mistake == "generates twice":
            w.generate()
            w.mistake = ""
        if w.generated is None and row.reason == "apply_late":
            return replaces(w)
        if w.primary != w.typed:
            w.apply_in_setup()
        return NOTHING if mistake == "never says" and row.reason == "await_apply" else (Word.APPLIED, None)
    return NOTHING


def replaces(w: Setup) -> Said:
    """The pair that is in force; what is waited for is applied at once."""
    w.mistake = ""
    w.typed = w.primary if w.in_force else w.shown()
    return Word.REPLACE, w.typed


def hands_over(w: Setup, mistake: str) -> Said:
    if mistake == "comes late" and w.row.next_at is not None:
        return NOTHING
    pair = w.shown()
    if mistake == "applies first":
        w.apply_in_setup()
    if mistake == "old pair" and w.live_number in w.live:
        pair = w.live[w.live_number].pair
    if mistake == "typing error":
        pair = Pair(pair.key, Secret("typed wrongly"))
    if mistake in ("old pair", "typing error", "applies first"):
        w.mistake = ""
    w.typed = pair
    return Word.RECEIVE, pair


def do(w: Any, act: str) -> None:
    """An act at any call: of the person, of another, of an operator."""
    if act == "applies":
        if not w.rows or (w.primary.key != w.row.new_key and not at_the_last_moment(w)):  # a second one is a stranger's
            w.apply_in_setup()
    elif act == "generates":
        w.generate()
    elif act == "forces":
        w.wants_force = True
    elif w.rows and not w.row.ended:
        hasty = act.endswith("now") and w.truth.new_pair_slow  # `--now` believes one refusal: there it may be wrong
        try:
            ports(w).ledger.ask_abandon(w.row.id, Who(), now=act.endswith("now") and not hasty)
        except Refused:
            return


def at_the_last_moment(w: Setup) -> bool:
    """An abandon has asked for the last time whether Apply was clicked: no click can be fenced."""
    until = w.row.abandon_until
    return w.row.goal is Goal.ABANDON and (w.row.abandon_now or (until is not None and w.now >= until))


def assisted(w: Setup) -> State:
    """One rotation to its end: workers that start and die, and a person who answers to what the row says."""
    w.act, said = do, NOTHING
    for _ in range(MOST_STARTS):
        try:
            turn(w, said)
        except (Crash, Stale, Unavailable, Refused) as error:
            w.restarts += isinstance(error, Crash)
            said = NOTHING
            continue
        if not w.rows:
            continue
        row = w.row
        if (row.ended or row.state is State.UNPROVEN) and not w.wants_force:
            return finished(w)
        said = answers(w)
        if said == NOTHING and row.next_at is not None and w.now < row.next_at:
            w.advance(row.next_at - w.now)
        elif said == NOTHING and row.state is State.HELD and row.next_at is None:
            rule(row.reason == "login" and "unclear" in w.faults.values(), f"HELD {row.reason}: {row.message}")
            undisturbed(w, lambda w: ports(w).ledger.release(w.row.id, Who()))
    raise Violation(f"DOES NOT END (10): {w.rows[-1] if w.rows else None}")


def finished(w: Setup) -> State:
    """What must be true however it ended."""
    row, live = w.row, w.live.get(w.live_number)
    works = live is None or w.accepts(live.pair)
    rule(not row.ended or not w.escrow, f"{row.state} but a secret is left in escrow (11)")
    if row.state in (State.DONE, State.UNPROVEN):
        rule(live is not None and works and live.pair.key == row.new_key, f"{row.state} but live is not the new pair")
        rule(w.published.count(row.new_key) == 1, "NOT PUBLISHED exactly once")
    if row.state is State.DONE:
        done_is_true(w)
        rule("slot" in row.claims and row.claims["slot"] == "not_asked", "a slot that nobody can see was claimed")
    if row.state is State.ABANDONED:
        seen = w.applied_at < w.asked_at and not row.abandon_now and not w.truth.new_pair_slow
        rule(works or not seen, "ABANDONED, but Apply was clicked and live is dead")
    failing = {"unclear"} & set(map(str, w.faults.values()))
    asked = row.goal is Goal.ABANDON or bool(failing)
    rule(row.state in (State.DONE, State.UNPROVEN) or asked, f"ENDED {row.state} {row.reason} {row.message}")
    trail = len(w.trail)
    undisturbed(w, lambda _: turn(w))
    rule(w.row.state == row.state and len(w.trail) == trail, "A RESUME of the end changed something (9)")
    return row.state


WORLDS: dict[str, dict[str, Any]] = {
    "default": {},
    "generated pairs log in": {"generated_accepted": True},
    "Apply leaves the tokens": {"apply_ends_tokens": False},
    "new pair slow": {"truth": Truth(new_pair_slow=True)},
    "live path absent": {"live": {}, "live_number": 0},
    "sessions kept": {"sessions": False},
}
