"""The rotation. Read top to bottom: the first step that is due runs, then the world is looked at again.

Routine and force are this one list with two policies, a classic connected app has a list of its own; the rules behind
each line are protocol.md section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rotator.domain.errors import must
from rotator.domain.pair import SlotState
from rotator.domain.rotation import Rotation
from rotator.saga.assisted import await_apply, give_up, receive, receive_due, request
from rotator.saga.block import block, block_due, ending_due, lift, lift_due, unblock, unblock_due, witness_due
from rotator.saga.holds import why_hold
from rotator.saga.mint import canary, clear, discard, escrow, stage, turn_back, verify, witness
from rotator.saga.proof import close, destroy, prove, refused
from rotator.saga.seen import EVERYWHERE, NOWHERE, Place, Seen
from rotator.saga.sessions import revoke, revoke_due
from rotator.saga.switch import overlap, promote, publish, retire
from rotator.saga.undo import abandon, restore, settle
from rotator.saga.worker import Worker


class Step(NamedTuple):
    """A step: when it is due, what it does, and which places it must have read itself, not inferred."""

    name: str
    due: Callable[[Seen], bool]
    run: Callable[[Worker, Seen], Seen]
    fresh: frozenset[Place] = NOWHERE


def hold(me: Worker, s: Seen) -> Seen:
    """Nothing is done until a human says `release`."""
    return me.hold(s, must(why_hold(s), "the reason to hold"))


def stage_due(s: Seen) -> bool:
    """Nothing is under way: primary and live are the old pair, the slot is empty."""
    return s.slot is None and not s.promoted and s.live_key in ("", s.primary.key)


def discard_due(s: Seen) -> bool:
    """Staged, but its secret is nowhere; or it expired; or a lost POST may have left it; or a person named it."""
    if s.slot is None or s.live_key == s.slot_key or (s.promoted and not s.slot_is_named_foreign):
        return False
    unreadable = s.staged and not s.escrowed and s.slot.pair.secret is None
    expired = s.slot_is_new and s.slot.state is SlotState.EXPIRED
    return unreadable or expired or s.slot_is_lost_post or s.slot_is_named_foreign


def canary_due(s: Seen) -> bool:
    """A witness is wanted and can still be had: before the old pair is retired, and before any block."""
    return s.row.policy.sessions and not s.row.canary and not s.row.switch and s.escrowed and not s.promoted


def verify_due(s: Seen) -> bool:
    return s.escrowed and s.row.verified != s.row.new_key and s.row.switch != "blocked" and s.publish_first


def publish_due(s: Seen) -> bool:
    verified = s.row.verified == s.row.new_key or s.row.switch == "blocked"
    return s.escrowed and not s.live_is_new and s.publish_first and verified


def promote_due(s: Seen) -> bool:
    after_publish = s.live_is_new and (s.overlap_over or not s.overlap_first)
    return s.staged and (after_publish or (s.promote_first and s.escrowed))


def destroy_due(s: Seen) -> bool:
    """A force whom Vault says no goes on proving the rest, and tries again at the next proof."""
    gave_up = s.row.force and s.row.refused_calls > 0
    return s.finished and s.row.policy.destroy_old and bool(s.old_versions) and not gave_up


def dry_run_over(s: Seen) -> bool:
    shown = s.row.verified == s.row.new_key or (s.promote_first and s.escrowed)
    return s.row.policy.dry_run and not s.abandoning and s.row.new_key != "" and shown


BOTH = frozenset({Place.ORG, Place.LIVE})

# Once the new pair is live and the old one gone, every rotation is alike.
AFTERWARDS = (
    Step("refused", lambda s: s.finished and s.row.refused_at is None, refused),
    # what logins left behind; in a force once more when the refusals are complete
    Step("revoke", revoke_due, revoke),
    Step("destroy", destroy_due, destroy),
    # the claims `refused` and `tokens`
    Step("prove", lambda s: s.finished and not s.row.proven, prove),
    # escrow first, then the row, from a look that saw everything in its place
    Step("close", lambda s: s.finished and s.row.proven and s.escrow_left, close),
    Step("close", lambda s: s.finished and s.row.proven, close, EVERYWHERE),
)

STEPS = (
    # a call of unknown outcome: unless it reads as done, wait until it cannot land after our next one
    Step("settle", lambda s: bool(s.unknown), settle, EVERYWHERE),
    # block-first, before all else: a witness while one can be had, then nobody logs in, then what is begun ends
    Step("canary", witness_due, witness, EVERYWHERE),
    Step("block", block_due, block, EVERYWHERE),
    Step("revoke", ending_due, revoke),
    # live serves a dead pair, and we hold a living one
    Step("restore", lambda s: s.rescue is not None, restore, EVERYWHERE),
    Step("hold", lambda s: why_hold(s) is not None, hold, EVERYWHERE),
    # committed before a promote intent was
    Step("abandon", lambda s: s.abandoning, abandon, EVERYWHERE),
    # what the last rotation left in the slot; in a force, whatever is there
    Step("clear", lambda s: s.clearable, clear, BOTH),
    # an org that stages nothing while blocked
    Step("unblock", lift_due, lift, BOTH),
    # nothing is under way: mint a second pair, the first stays valid
    Step("stage", stage_due, stage, BOTH),
    # staged, but nobody can use it
    Step("discard", discard_due, discard, BOTH),
    # keep the new pair where a crash cannot lose it
    Step("escrow", lambda s: s.staged and not s.escrowed and not s.live_is_new, escrow),
    # a witness: a token of the old pair
    Step("canary", canary_due, canary),
    # the pair that Vault holds must be able to log in
    Step("verify", verify_due, verify),
    Step("abandon", dry_run_over, turn_back),
    # the pivot: before it we can abandon, after it we only go forward
    Step("publish", publish_due, publish),
    # the new pair becomes primary; the old one stays in the slot
    Step("promote", promote_due, promote, BOTH),
    # readers of the old pair have time to follow
    Step("overlap", lambda s: s.live_is_new and not s.overlap_over and (s.promoted or s.overlap_first), overlap),
    Step("retire", lambda s: s.slot_is_old and s.live_is_new and s.overlap_over, retire, BOTH),
    # block-first: only now can the new pair be seen to log in, and the old one to be refused
    Step("unblock", unblock_due, unblock, BOTH),
    *AFTERWARDS,
)

# A classic connected app: a person is one of the remote calls.
ASSISTED = (
    Step("settle", lambda s: bool(s.unknown), settle, EVERYWHERE),
    Step("hold", lambda s: why_hold(s) is not None, hold, EVERYWHERE),
    # before Apply it can be abandoned, after it we only go forward
    Step("abandon", lambda s: s.abandoning, give_up, EVERYWHERE),
    # a person is asked to generate a pair, and waited for until it is handed over
    Step("request", lambda s: s.row.receive_until is None, request),
    Step("receive", receive_due, receive),
    # keep it where a crash cannot lose it; only then may the old pair die
    Step("escrow", lambda s: not s.escrowed and s.staged, escrow),
    Step("canary", canary_due, canary),
    # Apply kills the old pair: until the new one is seen to log in, and published, readers are cut off
    Step("await_apply", lambda s: s.escrowed and not s.promoted, await_apply),
    Step("publish", publish_due, publish),
    *AFTERWARDS,
)


def steps_of(row: Rotation) -> tuple[Step, ...]:
    """The list for this rotation."""
    return ASSISTED if row.consumer.assisted else STEPS
