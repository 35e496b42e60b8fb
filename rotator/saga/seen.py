"""What a look at the world told us. Steps decide from this and nothing else.

The words are those of protocol.md section 3; each property is one of its phrases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from rotator.domain.facts import Facts
from rotator.domain.pair import Author, Credential, Escrow, Live, Pair, SlotState, Staged, fingerprint
from rotator.domain.rotation import Rotation
from rotator.domain.words import Goal


class Place(Enum):
    """Where the picture comes from: each is read on its own."""

    ORG = "org"  # primary and slot
    LIVE = "live"
    ESCROW = "escrow"


EVERYWHERE = frozenset(Place)
NOWHERE: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class Picture:
    """The world outside, as it was read, or as the answer to our last call lets us infer it."""

    primary: Pair
    slots: tuple[Staged, ...]
    live: Live
    escrow: Escrow
    inferred: frozenset[Place] = NOWHERE  # known from an answer of ours, not from a read
    blank: frozenset[Place] = NOWHERE  # not known at all: read before anything else


@dataclass(frozen=True, slots=True)
class Seen:
    """Row, trail and picture at one moment."""

    row: Rotation
    unknown: tuple[str, ...]  # the steps whose intent has no outcome
    publish_cas: int
    escrow_cas: int
    facts: Facts
    now: datetime  # the database's clock
    pic: Picture
    old_credential: Credential | None = None  # what the live version held when we began, where it is needed
    old_versions: tuple[int, ...] = ()  # readable versions, but not the newest, that hold an old pair
    handed: Pair | None = None  # assisted: what a person handed over to this process
    blocked: bool | None = None  # the app's OAuth switch, where an intent to turn it has no outcome

    # --- the picture, in short words -------------------------------------------------
    @property
    def primary(self) -> Pair:
        return self.pic.primary

    @property
    def slot(self) -> Staged | None:
        return self.pic.slots[0] if self.pic.slots else None

    @property
    def several(self) -> bool:
        return len(self.pic.slots) > 1

    @property
    def live_key(self) -> str:
        return self.pic.live.key

    @property
    def live_number(self) -> int:
        return self.pic.live.number

    @property
    def slot_key(self) -> str:
        return self.slot.pair.key if self.slot else ""

    def state_of(self, key: str) -> SlotState | None:
        """How this pair stands in the slot, even beside others."""
        return next((entry.state for entry in self.pic.slots if entry.pair.key == key), None)

    def infer(self, place: Place, **changes: object) -> Seen:
        """The picture after a change of ours whose answer was clear."""
        return replace(self, pic=replace(self.pic, inferred=self.pic.inferred | {place}, **changes))  # type: ignore[arg-type]

    def forget(self, *places: Place) -> Seen:
        """These places must be read before anything else is decided."""
        return replace(self, pic=replace(self.pic, blank=self.pic.blank | set(places)))

    def doubt(self) -> Seen:
        """Nothing is taken for read any more: a step that needs a fresh look gets one."""
        return replace(self, pic=replace(self.pic, inferred=EVERYWHERE))

    # --- where new and old stand -----------------------------------------------------
    @property
    def live_is_new(self) -> bool:
        return self.row.new_key != "" and self.live_key == self.row.new_key

    @property
    def promoted(self) -> bool:
        return self.row.new_key != "" and self.primary.key == self.row.new_key

    @property
    def slot_is_new(self) -> bool:
        return self.row.new_key != "" and self.slot_key == self.row.new_key

    @property
    def staged(self) -> bool:
        return self.slot_is_new and self.slot is not None and self.slot.state is SlotState.ACTIVE

    @property
    def slot_is_old(self) -> bool:
        ours = self.slot is not None and self.slot_key in self.row.old_keys
        return ours and self.promoted and self.slot is not None and self.slot.state is not SlotState.ACTIVE

    @property
    def slot_is_lost_post(self) -> bool:
        """After a POST of unknown outcome: its pair, or a foreign one that looks just like it."""
        author = self.slot.author if self.slot else Author.THEM
        return self.row.posting and not self.slot_is_new and author is not Author.THEM

    @property
    def slot_is_named_foreign(self) -> bool:
        """A person named this entry with `release --discard-foreign`."""
        named = self.row.discard_foreign != "" and self.row.discard_foreign == fingerprint(self.slot_key)
        return named and self.slot_key not in self.row.ours

    @property
    def finished(self) -> bool:
        return self.promoted and self.slot is None and self.live_is_new

    @property
    def abandoning(self) -> bool:
        return self.row.goal is Goal.ABANDON

    # --- who is accepted, and whose secret we hold -----------------------------------
    def accepted(self, key: str) -> bool:
        """Primary, or in the slot, even beside others, in a state that the org is known to accept."""
        state = self.state_of(key)
        if key == self.primary.key or state is None:
            return key == self.primary.key
        if state is SlotState.ACTIVE:
            return self.facts.yes("staged_pair_accepted") or self.row.verified == key
        return state is SlotState.ROTATED and self.facts.yes("rotated_pair_accepted")

    def held_pair(self, key: str) -> Pair | None:
        """The pair of this key, if Vault has its secret: in the live path, its earlier version, or escrow."""
        for credential in (self.pic.live.credential, self.old_credential):
            if credential is not None and credential.pair.key == key:
                return credential.pair
        return self.pic.escrow.content.find(key) if self.pic.escrow.content else None

    @property
    def escrowed(self) -> bool:
        """Escrow keeps new. Where its secret is at hand both must be equal; promote-first has no verify to tell."""
        kept = self.escrowed_pair
        if kept is None or not (self.staged or self.promoted):
            return False
        if self.promoted:
            return True
        known = self.slot is not None and self.slot.pair.secret is not None
        if self.slot is not None and known and kept != self.slot.pair:
            return False
        compares = self.row.consumer.assisted or (self.promote_first and not known)
        return not compares or self.row.compared == kept.key

    @property
    def escrowed_pair(self) -> Pair | None:
        content = self.pic.escrow.content
        return content.find(self.row.new_key) if content and content.rotation_id == self.row.id else None

    @property
    def rescue(self) -> Pair | None:
        """Live is dead: a pair of ours that is accepted and whose secret we hold."""
        if not self.live_key or self.live_key not in self.row.ours or self.accepted(self.live_key):
            return None
        fit = (self.held_pair(key) for key in self.row.ours if self.accepted(key))
        return next((pair for pair in fit if pair), None)

    @property
    def live_in_doubt(self) -> bool:
        """Only an unknown fact speaks against the pair that live serves."""
        names = {SlotState.ACTIVE: "staged_pair_accepted", SlotState.ROTATED: "rotated_pair_accepted"}
        state = self.state_of(self.live_key)
        name = names.get(state) if state else None
        return name is not None and self.facts.unknown(name)

    # --- the order in this org -------------------------------------------------------
    @property
    def promote_first(self) -> bool:
        return self.facts.no("staged_pair_accepted") and self.facts.yes("rotated_pair_accepted")

    def learn(self, fact: str) -> str:
        """What a person does about a fact that is missing."""
        org = self.row.org
        return f"find out {fact}: `rotator calibrate {org} --app CANARY`, or state it in [orgs.{org}.facts]"

    @property
    def overlap_first(self) -> bool:
        """Where a Rotated pair may be dead, the overlap is waited out before promote."""
        return not self.facts.yes("rotated_pair_accepted")

    @property
    def stages_first(self) -> bool:
        """The org does not stage while the app is blocked, as is known or as this rotation saw."""
        return self.row.stage_first or self.facts.no("stage_while_blocked")

    @property
    def overlap_over(self) -> bool:
        return self.row.overlap_ended or self.row.force

    @property
    def publish_first(self) -> bool:
        """This org needs verify and publish before promote, or promote has happened."""
        return self.promoted or not self.promote_first

    @property
    def clearable(self) -> bool:
        """What the last rotation left in the slot; in a force, whatever is there but new."""
        if self.slot is None or self.slot_is_new or self.promoted:
            return False
        old = self.row.leftover != "" and self.row.leftover == self.slot_key != self.live_key
        return self.row.force or (old and self.slot.state is not SlotState.ACTIVE)

    # --- what could still land -------------------------------------------------------
    @property
    def fence_due(self) -> bool:
        """An intent names the present version as its check-and-set: that write could still land."""
        return self.publish_cas == self.live_number

    @property
    def escrow_fence_due(self) -> bool:
        return self.escrow_cas == self.pic.escrow.number

    @property
    def escrow_left(self) -> bool:
        return self.pic.escrow.content is not None or self.escrow_fence_due

    @property
    def landed(self) -> bool:
        """The unknown outcomes read as done. A filled slot does not prove that *our* POST filled it. A login with
        the old pair is not waited for: what it made is ended from now on, with whatever others made.
        """
        done = {
            "escrow": self.escrowed,
            "publish": self.live_is_new,
            "promote": self.promoted,
            "retire": self.finished,
            "block": self.blocked is True,
            "unblock": self.blocked is False,
            "refused": True,
            "prove": True,
        }
        return all(done.get(step, False) for step in self.unknown)
