"""Looking at the world: every place is read on its own, and only when its last reading no longer serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rotator.domain.errors import Unavailable, must
from rotator.domain.pair import Consumer, Escrow, Live, Pair, SlotState, Staged, Target
from rotator.domain.rotation import Rotation
from rotator.ports import Record, Salesforce, Vault
from rotator.saga.seen import EVERYWHERE, NOWHERE, Picture, Place, Seen

BLANK = Picture(Pair(""), (), Live(0), Escrow(0), blank=EVERYWHERE)
TORN = 5  # looks in a row that a promote fell into, before we say that something is wrong


class Eyes:
    """Reads the places of one consumer. Remembers nothing but the answer to its own POST."""

    def __init__(self, salesforce: Salesforce, vault: Vault, consumer: Consumer, target: Target,
                 before_call: Callable[[], None] = lambda: None) -> None:
        self.salesforce, self.vault, self.consumer, self.target = salesforce, vault, consumer, target
        self.memory: Pair | None = None
        self._before_call = before_call

    def picture(self, last: Picture = BLANK, places: frozenset[Place] = EVERYWHERE) -> Picture:
        """The same picture with these places read anew."""
        if Place.ORG in places:
            primary, slots = self._org()
            last = replace(last, primary=primary, slots=slots)
        if Place.LIVE in places:
            self._before_call()
            last = replace(last, live=self.vault.live(self.target))
        if Place.ESCROW in places:
            self._before_call()
            last = replace(last, escrow=self.vault.escrow(self.target))
        return replace(last, inferred=last.inferred - places, blank=last.blank - places)

    def _org(self) -> tuple[Pair, tuple[Staged, ...]]:
        """Primary and slot are two reads: the same key in both means that a promote landed in between."""
        if self.consumer.assisted:
            return Pair(""), ()  # no API shows them: see `_as_told`
        for _ in range(TORN):
            self._before_call()
            primary = self.salesforce.primary(self.consumer)
            self._before_call()
            slots = tuple(self._told(entry) for entry in self.salesforce.slot(self.consumer))
            if all(entry.pair.key != primary.key for entry in slots):
                return primary, slots
        raise Unavailable("Salesforce shows the same key as primary and as staged, again and again",
                          code="torn_look", fix="wait; if it stays, open the app's OAuth settings in Setup")

    def _told(self, entry: Staged) -> Staged:
        """The secret that only the answer to our POST gave is filled in while this process lives."""
        if entry.pair.secret is None and self.memory is not None and self.memory.key == entry.pair.key:
            return replace(entry, pair=self.memory)
        return entry

    def seen(self, record: Record, picture: Picture) -> Seen:
        """Row, trail and picture as one; reads earlier versions of the live path only where a decision needs them."""
        row = must(record.rotation, "the rotation that is looked at")
        if self.consumer.assisted:
            picture = self._as_told(row, picture)
        seen = Seen(row, record.unknown, record.publish_cas, record.escrow_cas, record.facts,
                    record.now, picture, handed=self.memory if self.consumer.assisted else None)
        if picture.blank != NOWHERE:
            return seen
        return self._with_switch(self._with_old_versions(self._with_old_credential(seen)))

    def _as_told(self, row: Rotation, picture: Picture) -> Picture:
        """Where an assisted app's pairs stand, by what its row says of logins."""
        old = row.old_keys[0] if row.old_keys else ""
        if row.applied:
            return replace(picture, primary=Pair(row.new_key), slots=())
        entry = self._told(Staged("", Pair(row.new_key), SlotState.ACTIVE))
        return replace(picture, primary=Pair(old), slots=(entry,) if row.new_key else ())

    def _with_old_credential(self, seen: Seen) -> Seen:
        row = seen.row
        needed = row.old_version and row.old_version != seen.live_number and not row.proven
        if not needed or all(seen.held_pair(key) for key in row.old_keys):
            return seen
        self._before_call()
        return replace(seen, old_credential=self.vault.live_version(self.target, row.old_version))

    def _with_old_versions(self, seen: Seen) -> Seen:
        row = seen.row
        if not (seen.finished and row.policy.destroy_old):
            return seen
        self._before_call()
        found = self.vault.versions_holding(self.target, row.old_keys, below=seen.live_number)
        return replace(seen, old_versions=found)

    def _with_switch(self, seen: Seen) -> Seen:
        if not {"block", "unblock"} & set(seen.unknown):
            return seen
        self._before_call()
        return replace(seen, blocked=self.salesforce.blocked(self.consumer))
