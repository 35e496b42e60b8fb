"""The row of a rotation: what must survive a crash, and nothing that can be seen in the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rotator.domain.pair import Consumer, Target
from rotator.domain.words import ENDED, Claim, Goal, State, Trigger


@dataclass(frozen=True, slots=True)
class Policy:
    """What the configuration said when the rotation was opened; a change reaches the next one."""

    overlap: timedelta = timedelta(hours=24)
    sessions: bool = True  # sessions = "revoke"
    destroy_old: bool = False  # destroy_old = "always", or a force
    probe: str = "limits"  # limits | userinfo | none
    dry_run: bool = False
    block_first: bool = False
    stay_blocked: bool = False  # held before publish: the readers of the live path may be the leak
    including_users: bool = False


@dataclass(frozen=True, slots=True)
class Who:
    """Who asked, from where, and why: stands in every audit row of the rotation."""

    actor: str = "rotator"
    origin: str = ""
    reason: str = ""
    ticket: str = ""
    approver: str = ""
    break_glass: bool = False
    uid: int | None = None  # of the actor on this machine; None: not known, or not of a machine

    def same_person(self, other: Who) -> bool:
        """By name, and by uid where both have one: two login names of one uid are one person."""
        return self.actor == other.actor or (self.uid is not None and self.uid == other.uid)


@dataclass(frozen=True, slots=True)
class Rotation:
    """One run for one app. Frozen: a change is a commit of the ledger, which gives back the new row."""

    id: str
    app: str
    org: str
    consumer: Consumer
    target: Target
    policy: Policy = Policy()
    who: Who = Who()
    trigger: Trigger = Trigger.MANUAL
    parent_id: str = ""
    number: int = 0  # counts the rotations of this consumer: the larger is the later

    state: State = State.RUNNING
    goal: Goal = Goal.ROTATE
    ends_as: State = State.ABANDONED  # what an abandon ends as
    step: str = ""  # the last step that ran
    reason: str = ""  # a code: why held, waiting, failed, unproven
    message: str = ""  # the same in words
    fix: str = ""  # the next action of a human
    released: bool = False  # a human let a held rotation go on
    discard_foreign: str = ""  # the fingerprint that a person named with `release --discard-foreign`
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_at: datetime | None = None  # parked until then

    old_keys: tuple[str, ...] = ()  # routine: the old pair. Force: every pair of ours known at the decision
    old_version: int = 0  # the live version that holds the old pair
    parent_new: str = ""  # force: the pair that the superseded rotation had minted
    leftover: str = ""  # the old pair of the last closed rotation, should it still be in the slot
    new_key: str = ""
    posting: bool = False  # a POST was sent, and no clear answer to it stands here
    promoting: bool = False  # a promote intent was committed
    publish_version: int = -1  # the check-and-set of this rotation's publish intent
    published_version: int = 0  # the live version that this rotation published
    discards: int = 0
    canary: str = ""  # "kept", "jwt" (kept, and self-contained), or "none": the old pair could not log in
    compared: str = ""  # the key whose escrow was read back and equal
    verified: str = ""  # the key that logged in
    run_as: str = ""  # the user that the pair logs in as
    overlap_until: datetime | None = None
    overlap_ended: bool = False
    abandon_until: datetime | None = None  # readers of the new pair have until then to follow back
    abandon_now: bool = False
    settle_until: datetime | None = None
    verify_until: datetime | None = None  # a new pair may be refused until then
    verified_from: datetime | None = None  # the first acceptance, where `verify_spread` asks for more
    retired_at: datetime | None = None
    refused_at: datetime | None = None  # the first refusal of the old pair, by the org's clock
    ended_before: datetime | None = None  # logins until then must be ended: the first refusal, in a force the last
    refusals: int = 0  # in a row
    last_refusal: datetime | None = None
    revoked: int = 0
    listing_shown: bool = False  # a listing showed something that a login of the app and user had left
    listing_blind: bool = False  # the listing did not show the canary while it lived
    proof_tries: int = 0
    proven: bool = False
    claims: dict[str, Claim] = field(default_factory=dict)
    switch: str = ""  # block-first: "blocking" (a call was sent), "blocked", "unblocked" (the new pair is primary)
    stage_first: bool = False  # staging was refused while blocked: the block is lifted for it
    blocked_for: str = ""  # a code: why it is blocked until a human says `release`
    unblock_at: datetime | None = None  # blocked again until then
    let_go: bool = False  # a human released what was to stay blocked
    tries: int = 0  # failures in a row: paces the retries
    failing_since: datetime | None = None
    refused_calls: int = 0  # clear refusals in a row of one step: the second holds
    logins: int = 0  # token requests so far: the login budget
    receive_until: datetime | None = None  # assisted: until then a person is waited for, then more loudly
    early: bool = False  # assisted: the new pair logged in before Apply was allowed
    both_refused: int = 0  # assisted: polls in a row that found both pairs refused
    gives_way_until: datetime | None = None  # a force waits for the lease: nobody goes on with this one until then

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def force(self) -> bool:
        return self.trigger is Trigger.FORCE

    @property
    def applied(self) -> bool:
        """Assisted: the new pair was accepted, which cannot be undone."""
        return self.consumer.assisted and self.new_key != "" and self.verified == self.new_key

    @property
    def ours(self) -> tuple[str, ...]:
        """The keys that belong to this rotation."""
        return (*self.old_keys, self.new_key) if self.new_key else self.old_keys
