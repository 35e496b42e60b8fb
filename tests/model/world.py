"""Salesforce and Vault in memory: what a call does there, and the invariants that it may break."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from rotator.domain.errors import CasMismatch, NotFound, Refused, SlotTaken
from rotator.domain.pair import Author, Credential, EscrowContent, Pair, SlotState, Staged
from rotator.domain.rotation import Rotation
from rotator.domain.secret import Secret
from tests.model.calls import PROPAGATION, START, THEM, US, Calls, Entry, pair
from tests.model.rules import rule


@dataclass
class World(Calls):
    """The effects of the calls, each checked against protocol.md section 2 where it happens."""

    def health(self) -> tuple[bool, bool, bool]:
        live = self.live.get(self.live_number)
        vault = {v.pair for v in self.live.values()}
        for content in self.escrow.values():
            vault |= {p for p in (content.new, *content.olds) if p}
        owed = self.promise[0] if self.promise and self.now < self.promise[1] else None
        return (
            live is None or self.accepts(live.pair),
            owed is None or self.accepts(owed),
            self.primary.key not in self.minted or self.primary in vault,
        )

    def accepts(self, one: Pair) -> bool:
        truth = self.truth
        states = {SlotState.ACTIVE: truth.staged_pair_accepted, SlotState.ROTATED: truth.rotated_pair_accepted}
        return one == self.primary or any(e.pair == one and states.get(e.state, False) for e in self.slot)

    # --- Salesforce --------------------------------------------------------------------
    def new_pair(self, whose: set[str]) -> Pair:
        n = next(self.numbers)
        whose.add(f"key{n}")
        return pair(n)

    def entry(self, slot_id: str) -> Entry:
        for entry in self.slot:
            if entry.id == slot_id:
                return entry
        raise NotFound("404")

    def post(self) -> Staged:
        if self.blocked and not self.truth.stage_while_blocked:
            raise Refused("the OAuth plug-in is off")
        if self.slot:
            raise SlotTaken("one staged pair per consumer")
        self.slot = [Entry(f"id{next(self.numbers)}", self.new_pair(self.minted), SlotState.ACTIVE, US)]
        return Staged(self.slot[0].id, self.slot[0].pair, SlotState.ACTIVE, Author.US)

    def rotate(self, slot_id: str) -> None:
        entry = self.entry(slot_id)
        if entry.state is not SlotState.ACTIVE:
            raise Refused("not an Active pair")
        rule(entry.pair.key not in self.foreign, "PROMOTED a foreign pair (5)")
        self.swap(entry)

    def swap(self, entry: Entry) -> None:
        new_id = entry.id if self.truth.slot_id_survives_rotate else f"id{next(self.numbers)}"
        self.slot[self.slot.index(entry)] = Entry(new_id, self.primary, SlotState.ROTATED, "")
        self.primary = entry.pair

    def delete(self, slot_id: str, row: Rotation) -> None:
        with suppress(NotFound):
            entry = self.entry(slot_id)
            not_ours = entry.pair.key in self.foreign and self.acts_done == self.acts_seen
            lost_post = row.posting and (entry.author != THEM or not self.truth.created_by_given)
            allowed = row.force or lost_post or bool(row.discard_foreign)
            rule(not not_ours or allowed, "DELETED a foreign pair (5)")
            self.kill(entry)

    def kill(self, entry: Entry) -> None:
        if self.accepts(entry.pair):
            self.undead[entry.pair] = self.now + PROPAGATION
            self.lingers |= {entry.pair} if self.truth.delete_slow else set()
            self.flapping |= {entry.pair} if self.truth.delete_flaps else set()
        self.slot.remove(entry)
        if self.truth.tokens_die_with_pair:
            self.tokens = {t: v for t, v in self.tokens.items() if v[0] != entry.pair.key}

    def attack(self) -> None:
        """He has the first pair, and wants a living token of it at any time."""
        stolen = pair(0)
        has_one = any(name.startswith("a") and key == stolen.key for name, (key, _) in self.tokens.items())
        works = self.accepts(stolen) or self.now < self.undead.get(stolen, START)
        if works and not has_one and not self.blocked:
            self.tokens[f"a{next(self.numbers)}"] = (stolen.key, self.now)

    def token(self, key: str) -> str:
        name = f"t{next(self.numbers)}"
        self.tokens[name] = (key, self.now)
        return name

    def login(self, one: Pair) -> str | None:
        """A token, or None for invalid-client."""
        if self.faults.get(self.calls) == "unclear":
            raise Refused("invalid_grant", code="login")
        if self.blocked or not (self.accepts(one) or one in self.lingers):
            self.last_refused[one.key] = self.now
            if one in self.flapping:
                self.flapping.remove(one)
                self.lingers.add(one)
            return None
        if self.truth.new_pair_slow and one.key in self.minted and one not in self.known_pairs:
            self.known_pairs.add(one)
            return None
        self.lingers.discard(one)
        self.logged_in.add(one)
        self.last_accepted[one.key] = self.now
        return self.token(one.key)

    def turn(self, blocked: bool, row: Rotation) -> None:
        """The app's OAuth switch. To stage it may be lifted; else the old pair must be gone first."""
        old = any(key in row.old_keys for key in (self.primary.key, *(e.pair.key for e in self.slot)))
        lifted = not self.slot and not self.truth.stage_while_blocked
        moved = self.acts_done != self.acts_seen
        rule(blocked or moved or lifted or not old, "UNBLOCKED while the old pair is accepted")
        self.owes_block = self.owes_block and not blocked
        self.blocked = blocked

    # --- Vault --------------------------------------------------------------------------
    def put_live(self, credential: Credential | None, cas: int, row: Rotation) -> int:
        if cas != self.live_number:
            raise CasMismatch("check-and-set")
        was = self.live.get(self.live_number)
        foreign = was is not None and was.pair.key in self.foreign
        rule(was is None or credential is None or was.other == credential.other, "LOST a field that is not ours (3)")
        rule(not foreign, "OVERWROTE a stranger's pair (3)")
        self.live_number += 1
        if credential is None:  # the fence of a path that does not exist
            return self.live_number
        rule(credential.pair.key not in self.foreign, "STORED a foreign pair (5)")
        self.live[self.live_number] = credential
        if was is None or was.pair != credential.pair:
            self.live_changed(row, was, credential.pair)
        return self.live_number

    def live_changed(self, row: Rotation, was: Credential | None, now: Pair) -> None:
        self.published.append(now.key)
        self.token(now.key)  # a reader logs in
        first = now.key == row.new_key
        rescued = was is not None and not self.accepts(was.pair)
        undisturbed = self.acts_done == 0 and self.row.id == row.id
        rule(not first or not row.policy.block_first or self.blocked or not undisturbed, "PUBLISHED while not blocked")
        safe = row.policy.block_first or rescued or now in self.logged_in
        rule(not first or safe, "PUBLISHED a pair that never logged in")
        owed = was and not rescued and not row.force and row.id == self.row.id
        wait = row.policy.overlap if first else min(row.policy.overlap, timedelta(hours=1))
        back = not first and (row.abandon_now or was is None or was.pair.key != row.new_key)
        self.promise = (was.pair, self.now + wait) if owed and was and not back else None

    def destroy_live(self, numbers: tuple[int, ...]) -> None:
        if not self.truth.may_destroy:
            raise Refused("403", code="vault_permission")
        self.live = {n: v for n, v in self.live.items() if n not in numbers}

    def put_escrow(self, content: EscrowContent, cas: int) -> int:
        if cas != self.escrow_number:
            raise CasMismatch("check-and-set")
        pairs = [p for p in (content.new, *content.olds) if p]
        rule(not any(p.key in self.foreign for p in pairs), "STORED a foreign pair (5)")
        self.escrow_number += 1
        if self.faults.get(self.calls) == "garbled" and content.new and content.new.secret:
            bad = Pair(content.new.key, Secret(content.new.secret.reveal() + "?"))
            content = EscrowContent(content.rotation_id, bad, content.olds, content.canary)
        self.escrow[self.escrow_number] = content
        return self.escrow_number

    def destroy_escrow(self, upto: int) -> None:
        self.escrow = {n: c for n, c in self.escrow.items() if n > upto}
