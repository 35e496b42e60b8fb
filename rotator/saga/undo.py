"""Steps that look after the past: calls of unknown outcome, a dead live path, late writes, an abandon."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Unpack

from rotator.domain.changes import Changes
from rotator.domain.errors import Unavailable, must
from rotator.domain.pair import Credential, EscrowContent, Live, Pair, fingerprint
from rotator.domain.words import Outcome, State
from rotator.saga.holds import Hold
from rotator.saga.seen import Place, Seen
from rotator.saga.worker import Worker

ANEW: Changes = {"refused_at": None, "refusals": 0, "revoked": 0}  # the old pair got a token, or may have got one
LONGEST_WAY_BACK = timedelta(hours=1)  # how long readers get to follow an abandon back to the old pair


def settle(me: Worker, s: Seen) -> Seen:
    """A late call cannot be recalled: unless the outcome reads as done, wait until it cannot land after our next."""
    if s.landed:
        return me.outcome(s, "settle", evidence={"landed": list(s.unknown)}, **_settled(s))
    since = s.row.failing_since or s.now
    if s.row.settle_until is None or s.now < s.row.settle_until:
        until = s.row.settle_until or s.now + me.timing.settle
        lasts = s.now - since >= me.timing.vault_wait
        return me.park(s, "settle", until, State.WAITING if lasts else State.RUNNING, settle_until=until,
                       failing_since=since)
    s = me.outcome(s, "settle", Outcome.UNKNOWN, evidence={"steps": list(s.unknown)}, **_settled(s))
    return s.doubt()


def _settled(s: Seen) -> Changes:
    """An unblock of unknown outcome, and more to be done behind the block: it is looked at, and blocked where it is
    not. What is finished is unblocked in any case. A login of unknown outcome may have made a token of the old pair:
    refusals, W and the ending of sessions begin anew."""
    unsure = s.row.policy.block_first and not s.finished and {"block", "unblock"} & set(s.unknown)
    if s.promoted and {"refused", "prove"} & set(s.unknown):
        return {**ANEW, "retired_at": s.now, "settle_until": None}
    return {"settle_until": None, "switch": "blocking"} if unsure else {"settle_until": None}


def restore(me: Worker, s: Seen) -> Seen:
    """Live serves a dead pair and we hold a living one. Where only an unknown fact speaks against it, ask first."""
    live = s.pic.live.credential
    if s.live_in_doubt and live is not None and me.login(live.pair).accepted:
        return me.hold(s, Hold("live_unexpected", "live serves a pair in an unexpected place, and it is accepted",
                               f"find out who moved it; then `rotator release {s.row.app}`"))
    rescue = must(s.rescue, "a living pair")
    s = write_live(me, s, "restore", rescue)
    return me.hold(s, Hold("restored", f"live served a dead pair; the accepted one ({fingerprint(rescue.key)}) is back",
                           f"find out who rotates this app besides the rotator; then `rotator release {s.row.app}`"))


def write_live(me: Worker, s: Seen, step: str, pair: Pair | None, /, *, before: Changes | None = None,
               **changes: Unpack[Changes]) -> Seen:
    """Writes a whole credential over the newest version, keeping the fields that are not ours; the next look reads
    it back. None: an empty version, the fence of a path that holds nothing. `before` changes the row with the intent,
    `changes` with the outcome."""
    number, now = s.live_number, s.pic.live.credential
    credential = Credential(pair, s.row.id, now.other if now else {}) if pair else None
    if now is not None and pair == now.pair:
        credential = now  # a fence changes nothing but the number
    evidence = {"cas": number, "key_fp": fingerprint(pair.key if pair else "")}
    s = me.intent(s, step, publish_cas=number, evidence=evidence, **(before or {}))
    with me.changing(s, step):
        written = me.vault.write_live(me.target, credential, number)
    s = me.outcome(s, step, vault_version=written, **changes)
    return s.infer(Place.LIVE, live=Live(written, credential)).forget(Place.LIVE)


def fence(me: Worker, s: Seen) -> Seen:
    """A stale write that names the present version as its check-and-set must fail from now on."""
    live = s.pic.live.credential
    return write_live(me, s, "fence", live.pair if live else None)


def delete_slot(me: Worker, s: Seen, step: str, /, **changes: Unpack[Changes]) -> Seen:
    """Safe delete (invariant 6): fence first; then the entry just seen, never a remembered id."""
    if s.fence_due:
        return fence(me, s)
    entry = must(s.slot, "the entry to delete")
    s = me.intent(s, step, evidence={"slot_id": entry.id, "key_fp": fingerprint(s.slot_key), "state": entry.state})
    with me.changing(s, step):
        me.salesforce.delete(me.consumer, entry.id)
    return me.outcome(s, step, **changes).infer(Place.ORG, slots=())


def drop_escrow(me: Worker, s: Seen) -> Seen:
    """Destroys the escrow by version number; the metadata stays, so that a late write or destroy hits nothing."""
    number = s.pic.escrow.number
    if s.escrow_fence_due:  # a late write to escrow could still land
        return write_escrow(me, s, "close", EscrowContent(s.row.id, None))
    s = me.intent(s, "close", evidence={"escrow_versions_upto": number})
    with me.changing(s, "close"):
        me.vault.destroy_escrow(me.target, number)
    s = me.outcome(s, "close")
    return s.infer(Place.ESCROW, escrow=replace(s.pic.escrow, content=None)).doubt()


def write_escrow(me: Worker, s: Seen, step: str, content: EscrowContent, /, **changes: Unpack[Changes]) -> Seen:
    """Escrow with check-and-set on the version that was seen."""
    number = s.pic.escrow.number
    s = me.intent(s, step, escrow_cas=number, evidence={"cas": number})
    with me.changing(s, step):
        written = me.vault.write_escrow(me.target, content, number)
    s = me.outcome(s, step, vault_version=written, **changes)
    return s.infer(Place.ESCROW, escrow=replace(s.pic.escrow, number=written, content=content))


def keep(me: Worker, s: Seen, step: str, content: EscrowContent, /, **changes: Unpack[Changes]) -> Seen:
    """Escrow, read back and compared: the row says which pair is whole there, and until then that none is."""
    number = s.pic.escrow.number
    s = me.intent(s, step, escrow_cas=number, evidence={"cas": number}, compared="")
    with me.changing(s, step):
        me.vault.write_escrow(me.target, content, number)
    me.alive()
    back = me.vault.escrow(me.target)
    same = back.content is not None and content.new is not None and back.content.new == content.new
    told: Changes = {**changes, "compared": s.row.new_key if same else ""}
    s = me.outcome(s, step, Outcome.OK if same else Outcome.FAILED, vault_version=back.number, **told)
    return replace(s, pic=replace(s.pic, escrow=back))


def primary_pair(me: Worker, s: Seen) -> Pair | None:
    """The primary pair as Vault holds it, else as Salesforce tells it (`part=keyandsecret`)."""
    held = s.held_pair(s.primary.key)
    if held is not None or s.row.consumer.assisted:
        return held
    me.alive()
    told = me.salesforce.primary(me.consumer, with_secret=True)
    if told.key != s.primary.key:
        raise Unavailable("the primary pair changed while it was read", code="torn_look")
    return told if told.secret is not None else None


def abandon(me: Worker, s: Seen) -> Seen:
    """Undo, one change at a time, until everything is as it was."""
    row = s.row
    if s.live_is_new:
        return _write_back(me, s)
    if row.abandon_until is not None and s.now < row.abandon_until and not row.abandon_now:
        return me.park(s, "abandon", row.abandon_until)
    ours = s.slot_is_new or s.slot_is_lost_post or s.slot_is_named_foreign or s.clearable
    if ours and s.slot_key != s.live_key:  # whoever put it there: readers of the live path need it
        return delete_slot(me, s, "abandon", new_key="", posting=False)
    return leave(me, s)


def leave(me: Worker, s: Seen) -> Seen:
    """Nothing of ours is in the slot any more: no late write may land, no secret stays in escrow, the row ends."""
    row = s.row
    if s.fence_due:
        return fence(me, s)
    if s.escrow_left:
        return drop_escrow(me, s)
    ended: Changes = {"state": row.ends_as, "next_at": None}
    if row.ends_as is not State.HELD:
        ended["ended_at"] = s.now
    return me.decide(s, "abandon", Outcome.OK, **ended)


def _write_back(me: Worker, s: Seen) -> Seen:
    """Readers of the new pair get time to follow back before it is discarded."""
    old = primary_pair(me, s)
    if old is None:
        return me.hold(s, Hold("old_secret_unreadable", "the old secret is neither in Vault nor readable in Salesforce",
                               "switch on `Allow access to External Client App consumer secrets via REST API`;"
                               f" then `rotator release {s.row.app}`"))
    until = s.now + min(s.row.policy.overlap, LONGEST_WAY_BACK)
    unanswered: Changes = {"abandon_until": until + me.timing.settle}  # it may land that late, and nobody to note it
    return write_live(me, s, "abandon", old, before=unanswered, abandon_until=until)
