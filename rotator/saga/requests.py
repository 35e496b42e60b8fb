"""What a request does to a row, the same for every ledger: opening, abandoning, releasing (pure; no I/O)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rotator.domain.changes import Changes
from rotator.domain.errors import Refused
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import ENDED, Goal, Outcome, Phase, State, Trigger, Word
from rotator.ports import Opening

# What a human's word does to a held row, be it `release` or `abandon`: its counters of failures start again.
GOES_ON: Changes = {"state": State.RUNNING, "released": True, "next_at": None, "refused_calls": 0, "tries": 0,
                    "logins": 0, "failing_since": None}  # fmt: skip


# Assisted: what a row is held for while a pair is awaited, or a person at all, and how long Apply is polled for.
AWAITED = ("receive", "receive_late", "receive_refused")
PERSON = (*AWAITED, "both_refused", "apply_late")
APPLY_WITHIN = timedelta(minutes=30)


def opened(opening: Opening, last: Rotation | None, rotation_id: str, now: datetime) -> Rotation:
    """The row of a new rotation. A force takes over what the open one knew; a routine one remembers what the last
    closed one may have left in the slot."""
    row = Rotation(
        id=rotation_id, app=opening.app, org=opening.org, consumer=opening.consumer, target=opening.target,
        policy=opening.policy, who=opening.who, trigger=opening.trigger, number=last.number + 1 if last else 1,
        old_keys=opening.old_keys, old_version=opening.old_version, started_at=now, step="stage",
    )  # fmt: skip
    if last is None:
        return row
    if last.state in ENDED:
        return replace(row, leftover=last.old_keys[0] if last.old_keys else "")
    if opening.trigger is not Trigger.FORCE:
        return replace(row, parent_id=last.id)
    known = (*opening.old_keys, *last.old_keys, last.new_key)
    row = replace(row, parent_id=last.id, parent_new=last.new_key, old_keys=tuple(dict.fromkeys(filter(None, known))))
    return _still_blocked(row, last) if last.switch in ("blocking", "blocked") else row


def _still_blocked(row: Rotation, last: Rotation) -> Rotation:
    """A force over one that has blocked the app must unblock it, and can have no witness but the one there is."""
    kept = last.canary if last.canary in ("kept", "jwt") else ""
    return replace(row, policy=replace(row.policy, block_first=True), switch=last.switch, canary=kept or "none",
                   stage_first=last.stage_first, run_as=last.run_as)


def superseded(now: datetime) -> Changes:
    """What an opening that takes over does to the open rotation: it ends. What is not proven stays not proven."""
    return {"state": State.ABANDONED, "reason": "superseded", "message": "a newer rotation took over", "next_at": None,
            "ended_at": now}


def takes_over(opening: Opening, last: Rotation | None) -> bool:
    """Whether an opening opens a row of its own; else the open one is given back.

    A force takes over whatever is open. A routine one does so only where nothing but the proof is missing, and
    that was tried for a day or the next rotation is due: a proof that cannot be had must not keep a secret old.
    """
    return last is None or last.ended or opening.trigger is Trigger.FORCE or proof_is_old(last, opening.trigger)


def proof_is_old(last: Rotation, trigger: Trigger) -> bool:
    """Whether a routine rotation may begin although the last one is still unproven."""
    in_hurry = trigger is Trigger.SCHEDULED and not last.force  # a leaked pair is watched to the end of the day
    return last.state is State.UNPROVEN and (last.next_at is None or in_hurry)


def same_order(row: Rotation, order: Who) -> bool:
    """Whether this forced rotation is what the order asks for: the same ticket and the same reason. Asked once more it
    is resumed; any other order is a new decision, and mints anew."""
    return row.force and (row.who.ticket, row.who.reason) == (order.ticket, order.reason)


def gives_way(row: Rotation, until: datetime) -> Changes | None:
    """What a force that waits for the lease does to the open rotation; None where it has ended."""
    return None if row.ended else {"gives_way_until": until}


def abandoned(row: Rotation, *, now: bool) -> Changes | None:
    """An operator's abandon; None where it is asked already. A promote intent and an abandon exclude each other.

    Raises Refused where it is too late, or nothing is open.
    """
    if row.ended:
        raise Refused(f"the rotation of {row.app} has ended as {row.state}", code="not_open",
                      fix="there is nothing to abandon")
    if row.force:
        raise Refused("a forced rotation cannot be abandoned", code="forced", fix="let it finish, or force again")
    if row.goal is Goal.ABANDON and row.state is not State.HELD:
        return {"abandon_now": True, "next_at": None} if now and not row.abandon_now else None
    if row.applied:
        raise Refused("too late: Apply was clicked, and the new pair is in force", code="too_late",
                      fix="let it finish")
    if row.promoting and not lost_to_others(row):
        raise Refused("too late: the new pair was told to become primary", code="too_late",
                      fix="let it finish; the old pair stays valid until the overlap ends")
    asked: Changes = {"goal": Goal.ABANDON, "ends_as": State.ABANDONED, "abandon_now": now or row.abandon_now,
                      "next_at": None, "reason": "abandoned", "message": "an operator abandoned it", "fix": "",
                      "promoting": False}
    return {**asked, **GOES_ON} if row.state is State.HELD else asked


def said(row: Rotation, word: Word, now: datetime) -> Changes | None:
    """What a person's word does to an assisted rotation: it goes on, held or not; None where it is known already.
    Raises Refused where the word does not fit."""
    if word is Word.APPLIED and row.applied and not row.ended:
        return None
    if not row.consumer.assisted or row.ended or row.goal is Goal.ABANDON or row.applied:
        raise Refused(f"the rotation of {row.app} waits for no pair and for no Apply", code="not_awaited",
                      fix="see `rotator status`")
    kept = row.new_key != "" and row.compared == row.new_key
    if word is Word.RECEIVE and kept and row.reason not in AWAITED:
        raise Refused("a new pair was handed over already, and is safe", code="already_received",
                      fix=f"click Apply; or, where it was wrong, `rotator receive {row.app} --replace`")
    if word is Word.APPLIED and not kept:
        raise Refused("no new pair is safe yet: Apply must wait", code="nothing_received",
                      fix=f"`rotator receive {row.app}`; where Apply was clicked, with the pair that Setup shows now")
    goes_on: Changes = {**GOES_ON, "reason": "", "message": "", "fix": ""}
    if word is Word.APPLIED:
        return {**goes_on, "verify_until": now + APPLY_WITHIN}
    return {**goes_on, "verify_until": None, "compared": ""}  # until it is kept, nothing is


def word_event(word: Word, key_fp: str) -> Event:
    """A person's word in the trail: whoever handed a pair over has seen its secret."""
    step = Word.RECEIVE if word is Word.REPLACE else word
    evidence = {"word": word.name.lower(), "key_fp": key_fp} if key_fp else {"word": word.name.lower()}
    return Event(step.value, Phase.DECISION, Outcome.OK, evidence=evidence)


def lost_to_others(row: Rotation) -> bool:
    """Held, because somebody else's pair became primary: nothing can go forward any more, so it may go back although
    a promote intent was committed. What became of that intent was settled before the hold."""
    return row.state is State.HELD and row.reason == "foreign_primary"


def released(row: Rotation, *, discard_foreign: str) -> Changes:
    """A human lets a held rotation go on, with its counters of failures at zero. Raises Refused where it is not held.

    Where it was undone and held for a missing fact, it starts again from the beginning.
    """
    if row.state is not State.HELD:
        raise Refused(f"the rotation of {row.app} is {row.state}, not held", code="not_held",
                      fix="see `rotator status`")
    changes: Changes = {**GOES_ON, "discard_foreign": discard_foreign, "blocked_for": "", "unblock_at": None,
                        "let_go": row.let_go or row.reason == "stay_blocked"}
    if row.goal is Goal.ABANDON and row.ends_as is State.HELD and not row.new_key:
        again: Changes = {"goal": Goal.ROTATE, "ends_as": State.ABANDONED, "verify_until": None, "verified": "",
                          "compared": "", "canary": "", "publish_version": -1}
        changes = {**changes, **again}
    return changes
