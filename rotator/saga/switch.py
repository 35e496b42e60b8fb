"""The steps around the pivot: the readers of the live path move from the old pair to the new one."""

from __future__ import annotations

from datetime import timedelta

from rotator.domain.changes import Changes
from rotator.domain.errors import must
from rotator.domain.pair import fingerprint
from rotator.domain.words import State
from rotator.saga.seen import Place, Seen
from rotator.saga.undo import delete_slot, write_live
from rotator.saga.worker import Worker

TICK = timedelta(seconds=1)  # a `Date` header leaves out fractions: without this the next look may be too early again


def publish(me: Worker, s: Seen) -> Seen:
    """The pivot: before it a rotation can be abandoned, after it only go forward. Each publish starts the overlap
    anew: readers of the old pair count from the last one."""
    pair = must(s.escrowed_pair, "the escrowed pair")
    before: Changes = {"publish_version": s.live_number, "overlap_ended": False, "overlap_until": None}
    return write_live(me, s, "publish", pair, before=before, published_version=s.live_number + 1)


def promote(me: Worker, s: Seen) -> Seen:
    """The new pair becomes primary; the old one stays valid in the slot as Rotated (reference 6.6)."""
    entry = must(s.slot, "the staged pair")
    s = me.intent(s, "promote", promoting=True, evidence={"slot_id": entry.id, "key_fp": fingerprint(s.slot_key)})
    with me.changing(s, "promote"):
        me.salesforce.promote(me.consumer, entry.id)
    return me.outcome(s, "promote").forget(Place.ORG)


def overlap(me: Worker, s: Seen) -> Seen:
    """Readers of the old pair have time to follow. Over only when the database's clock and the org's agree."""
    until = s.row.overlap_until or s.now + s.row.policy.overlap  # from the first look that saw the new pair in live:
    if s.now < until:  # a publish of unknown outcome may have landed long after its intent
        return me.park(s, "overlap", until, State.OVERLAP, overlap_until=until)
    org = me.salesforce.time()
    if org is not None and org < until:
        return me.park(s, "overlap", s.now + (until + TICK - org), State.OVERLAP, overlap_until=until)
    return me.observe(s, "overlap", overlap_ended=True, evidence={"org_time": org.isoformat() if org else None})


def retire(me: Worker, s: Seen) -> Seen:
    """The overlap is over: the old pair dies."""
    return delete_slot(me, s, "retire", retired_at=s.now)
