"""Block-first: the app's OAuth switch is off while its pair is replaced (protocol section 3, "With --block-first").

Off, every pair of the app is refused: nobody uses the leaked one, and a refusal proves nothing. Invariant 1 is
suspended from the block to the unblock; the trail says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from rotator.domain.changes import Changes
from rotator.domain.words import Outcome
from rotator.saga.holds import REFUSALS, why_hold
from rotator.saga.seen import Seen
from rotator.saga.undo import ANEW
from rotator.saga.worker import Worker, goes_on


def witness_due(s: Seen) -> bool:
    """Once blocked, no witness can be had; and only a pair of ours may be one."""
    wanted = s.row.policy.block_first and s.row.policy.sessions and not s.row.canary and not s.row.switch
    return wanted and s.primary.key in s.row.old_keys


def block_due(s: Seen) -> bool:
    """First of all, whatever the picture; where the org stages nothing while blocked: once the new pair is safe."""
    row = s.row
    if not row.policy.block_first or row.switch in ("blocked", "unblocked") or row.refused_calls >= REFUSALS:
        return False
    waits_for_stage = s.stages_first and not s.escrowed and not row.blocked_for and why_hold(s) is None
    return row.switch == "blocking" or not waits_for_stage


def ending_due(s: Seen) -> bool:
    """What was begun with the old pair ends as soon as nobody can begin anew."""
    return s.row.switch == "blocked" and s.row.policy.sessions and s.row.revoked == 0


def lift_due(s: Seen) -> bool:
    """This org stages nothing while blocked: it is lifted for as long as staging takes."""
    return s.row.switch == "blocked" and s.stages_first and s.slot is None and not s.promoted


def unblock_due(s: Seen) -> bool:
    """The new pair is primary and live, the old one gone."""
    return s.row.switch == "blocked" and s.finished


def block(me: Worker, s: Seen) -> Seen:
    """Nobody logs in to this app from now on, with whatever pair: its other consumers neither."""
    told = {"availability": "suspended", "other_consumers": s.row.consumer.siblings}
    return _turn(me, s, "block", blocked=True, evidence=told, before={"switch": "blocking"}, switch="blocked")


def lift(me: Worker, s: Seen) -> Seen:
    """On again, to stage; what was begun meanwhile is ended after the next block."""
    return _turn(me, s, "unblock", blocked=False, evidence={"why": "the org stages nothing while blocked"}, before={},
                 switch="", revoked=0)


def unblock(me: Worker, s: Seen) -> Seen:
    """Readers of the live path log in again, with the new pair."""
    until = s.row.unblock_at
    if until is not None and s.now < until:
        return me.park(s, "unblock", until, reason="blocked_again",
                       message="the old pair still logged in: blocked until its deletion is known everywhere")
    return _turn(me, s, "unblock", blocked=False, evidence={"availability": "in force"}, before={}, switch="unblocked",
                 unblock_at=None)


def again(me: Worker, s: Seen, step: str, code: str, until: datetime | None = None) -> Seen:
    """New is refused, or old accepted, although the app is on: the next step blocks it again. It stays so until then,
    or, without a time, until a human says `release`."""
    closing = me.outcome if s.unknown else me.observe
    changes: Changes = {**goes_on(s), **ANEW, "switch": "blocking", "ended_before": None, "unblock_at": until,
                        "blocked_for": "" if until else code}
    return closing(s, step, Outcome.FAILED, evidence={"code": code}, **changes)


def _turn(me: Worker, s: Seen, step: str, /, *, blocked: bool, evidence: dict[str, object], before: Changes,
          **after: Unpack[Changes]) -> Seen:
    """Reads before the write, and after it: an update may drop an element without a word (reference 5.3)."""
    me.alive()
    if me.salesforce.blocked(me.consumer) is blocked:
        return me.observe(s, step, evidence={**evidence, "was_so": True}, **after).doubt()
    s = me.intent(s, step, evidence=evidence, **before)
    with me.changing(s, step):
        me.salesforce.set_blocked(me.consumer, blocked)
    me.alive()
    if me.salesforce.blocked(me.consumer) is not blocked:
        return me.outcome(s, step, Outcome.FAILED, refused_calls=s.row.refused_calls + 1, evidence=evidence,
                          message="the org took the change of the app's OAuth switch, but the switch did not move",
                          fix="turn it in Setup, External Client App Manager, Policies")
    return me.outcome(s, step, evidence=evidence, **after).doubt()  # it took a while: others may have acted
