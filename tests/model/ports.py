"""The ports of the saga onto the world in memory. The contract suites hold them to the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from rotator.domain.changes import Changes
from rotator.domain.errors import ConfigError, Stale, Superseded
from rotator.domain.event import Event
from rotator.domain.pair import (
    Author,
    Consumer,
    Credential,
    Escrow,
    EscrowContent,
    Live,
    Pair,
    Staged,
    Target,
)
from rotator.domain.rotation import Rotation, Who
from rotator.domain.secret import Secret
from rotator.domain.session import Grant, Holders, Lever, Listing, Login, Probe
from rotator.domain.sight import Kind, Sight
from rotator.domain.words import Outcome, Phase, Word
from rotator.ports import Lease, Opening, Record
from rotator.saga.requests import abandoned, gives_way, opened, released, said, superseded, takes_over
from tests.model.calls import CONSUMER, THEM, US, USER
from tests.model.rules import rule
from tests.model.world import World


class MemorySalesforce:
    """The org of the world, as the rotator's identity sees it."""

    def __init__(self, w: World) -> None:
        self.w = w

    request_id = ""

    def find(self, app: str, consumer: str) -> Consumer:
        named = app == CONSUMER.app_name or app[:15] == CONSUMER.app_id[:15]
        if not named or consumer[:15] not in ("", CONSUMER.consumer_id[:15]):
            raise ConfigError("there is no such app or consumer", fix="name one that is there")
        return CONSUMER

    def primary(self, consumer: Consumer, *, with_secret: bool = False) -> Pair:
        self.w.seen["org"] = self.w.acts_done
        self.w.io("primary")
        told = with_secret and self.w.truth.secret_readable_again
        return self.w.primary if told else Pair(self.w.primary.key)

    def slot(self, consumer: Consumer) -> tuple[Staged, ...]:
        self.w.io("slot")
        readable, given = self.w.truth.secret_readable_again, self.w.truth.created_by_given
        words = {US: Author.US, THEM: Author.THEM}
        return tuple(
            Staged(e.id, e.pair if readable else Pair(e.pair.key), e.state,
                   words.get(e.author, Author.UNKNOWN) if given else Author.UNKNOWN)
            for e in self.w.slot
        )  # fmt: skip

    def stage(self, consumer: Consumer) -> Staged:
        staged: Staged = self.w.io("slot", self.w.post)
        return staged

    def promote(self, consumer: Consumer, staged_id: str) -> None:
        self.w.io("slot", self.w.rotate, staged_id)

    def delete(self, consumer: Consumer, staged_id: str) -> None:
        self.w.io("slot", self.w.delete, staged_id, self.w.row)

    def login(self, pair: Pair) -> Login:
        token = self.w.io("login", partial(self.w.login, pair))
        if token is None:
            return Login(accepted=False)
        return Login(True, Secret(token), CONSUMER.org_id, USER, at=self.w.now)

    def probe(self, token: Secret, kind: str) -> Probe:
        self.w.io("login")
        return Probe.ALIVE if token.reveal() in self.w.tokens else Probe.DEAD

    def grants(self, consumer: Consumer, user_id: str, lever: Lever) -> Listing:
        self.w.io("tokens")
        if not self.w.truth.tokens_listed:
            return Listing()
        hidden = {"t1"} if self.w.truth.one_hidden else set()
        grants = (Grant(lever, name, Secret(name), USER, created) for name, (_, created) in self.w.tokens.items()
                  if name not in hidden)
        return Listing(tuple(grants), complete=not hidden & self.w.tokens.keys())

    def holders(self, consumer: Consumer) -> Holders:
        self.w.io("tokens")
        return Holders((USER,) if self.w.truth.tokens_listed and self.w.tokens else ())

    def sight(self, consumer: Consumer, user_id: str, kind: Kind, since: datetime) -> Sight:
        self.w.io("tokens")
        return Sight(kind)

    def end(self, consumer: Consumer, grant: Grant) -> None:
        rule(f"{grant.lever}:{grant.ref}" in self.w.named, "ENDED what no row of the trail had named")
        self.w.io("tokens", self.w.tokens.pop, grant.ref, None)

    def blocked(self, consumer: Consumer) -> bool:
        self.w.io("switch")
        return self.w.blocked

    def set_blocked(self, consumer: Consumer, blocked: bool) -> None:
        self.w.io("switch", self.w.turn, blocked, self.w.row)

    def time(self) -> datetime | None:
        return self.w.now


class MemoryVault:
    """The live and the escrow path of the world."""

    def __init__(self, w: World) -> None:
        self.w = w

    request_id = ""

    def preflight(self, target: Target) -> None:
        self.w.io("mount")

    def live(self, target: Target) -> Live:
        self.w.seen["live"] = self.w.acts_done
        self.w.io("live")
        return Live(self.w.live_number, self.w.live.get(self.w.live_number))

    def live_version(self, target: Target, number: int) -> Credential | None:
        self.w.io("older")
        return self.w.live.get(number)

    def versions_holding(self, target: Target, keys: Sequence[str], below: int) -> tuple[int, ...]:
        self.w.io("older")
        return tuple(n for n, v in sorted(self.w.live.items()) if n < below and v.pair.key in keys)

    def write_live(self, target: Target, credential: Credential | None, cas: int) -> int:
        number: int = self.w.io("live", self.w.put_live, credential, cas, self.w.row)
        return number

    def destroy_live(self, target: Target, versions: Sequence[int]) -> None:
        self.w.io("live", self.w.destroy_live, tuple(versions))

    def escrow(self, target: Target) -> Escrow:
        self.w.io("escrow")
        return Escrow(self.w.escrow_number, self.w.escrow.get(self.w.escrow_number))

    def write_escrow(self, target: Target, content: EscrowContent, cas: int) -> int:
        number: int = self.w.io("escrow", self.w.put_escrow, content, cas)
        return number

    def destroy_escrow(self, target: Target, upto: int) -> None:
        self.w.io("escrow", self.w.destroy_escrow, upto)


class MemoryClock:
    """The world's time; a sleep moves it on."""

    def __init__(self, w: World) -> None:
        self.w = w

    def monotonic(self) -> float:
        return self.w.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.w.advance(timedelta(seconds=seconds))

    def jitter(self) -> float:
        return 0.5


class MemoryLedger:
    """The database of the world: one consumer's rows, trail and lease."""

    def __init__(self, w: World) -> None:
        self.w = w

    def claim(self, org_id: str, consumer_id: str, owner: str, seconds: float, *, seize: bool = False) -> Lease | None:
        self.w.io("db")
        if not seize and self.w.owner not in ("", owner) and self.w.now < self.w.lease_until:
            return None
        self.w.epoch += 1
        self.w.owner, self.w.lease_length = owner, timedelta(seconds=seconds)
        self.w.lease_until = self.w.now + self.w.lease_length
        return Lease(org_id, consumer_id, owner, self.w.epoch)

    def extend(self, lease: Lease, seconds: float) -> None:
        self.w.io("db")
        self._hold(lease)
        self.w.lease_until = self.w.now + timedelta(seconds=seconds)

    def yield_lease(self, lease: Lease) -> None:
        if lease.epoch == self.w.epoch:
            self.w.owner = ""

    def _hold(self, lease: Lease) -> None:
        if lease.epoch != self.w.epoch or lease.owner != self.w.owner:
            raise Stale("the lease is another worker's")

    def open(self, lease: Lease, opening: Opening) -> Rotation:
        row: Rotation = self.w.io("db", self._open, lease, opening)
        return row

    def _open(self, lease: Lease, opening: Opening) -> Rotation:
        self._hold(lease)
        last = self.w.rows[-1] if self.w.rows else None
        if last is not None and not takes_over(opening, last):
            return last
        if last is not None and not last.ended:
            self.w.rows[-1] = replace(last, **superseded(self.w.now))
        row = opened(opening, last, f"r{len(self.w.rows) + 1}", self.w.now)
        self.w.rows.append(row)
        self.w.foreign -= set(opening.old_keys)  # whoever made it: it is the pair that this rotation replaces
        if row.force:
            self.w.promise, self.w.decided, self.w.attacking = None, next(self.w.numbers), self.w.attacker
        return row

    def read(self, org_id: str, consumer_id: str) -> Record:
        self.w.io("db")
        return Record(self.w.rows[-1] if self.w.rows else None, tuple(self.w.open_intents), self.w.publish_cas,
                      self.w.escrow_cas, self.w.known, self.w.now)

    def commit(self, lease: Lease, seen: Rotation, event: Event, changes: Changes, *, publish_cas: int | None = None,
               escrow_cas: int | None = None, learned: Mapping[str, str] | None = None) -> Rotation:
        row: Rotation = self.w.io("db", self._commit, lease, seen, event, changes, publish_cas, escrow_cas, learned)
        return row

    def _commit(self, lease: Lease, seen: Rotation, event: Event, changes: Changes, publish_cas: int | None,
                escrow_cas: int | None, learned: Mapping[str, str] | None) -> Rotation:
        w = self.w
        self._hold(lease)
        w.lease_until = max(w.lease_until, w.now + w.lease_length)
        rule(lease.epoch == w.epoch, "STALE worker changed the database (8)")
        if w.row.id != seen.id or (event.phase is Phase.INTENT and w.row.goal != seen.goal):
            raise Superseded("a newer request wins")
        if event.phase is Phase.INTENT:
            w.open_intents.append(event.step)
        elif event.phase is Phase.OUTCOME:
            w.open_intents.clear()
            w.acts_closed = w.acts_seen
        elif event.phase in (Phase.OBSERVE, Phase.DECISION):
            w.acts_closed = w.acts_seen
        w.trail.append((seen.id, event.step, event.phase))
        named = event.evidence.get("to_end", ())
        w.named |= set(named if isinstance(named, list) else ())
        w.publish_cas = w.publish_cas if publish_cas is None else publish_cas
        w.escrow_cas = w.escrow_cas if escrow_cas is None else escrow_cas
        self._refusal_has_control(event, changes)
        w.owes_block |= w.row.switch == "unblocked" and event.outcome is Outcome.FAILED and changes.get("refusals") == 0
        for name, value in (learned or {}).items():
            w.known = w.known.learn(name, value)
        w.rows[-1] = replace(w.row, **changes)
        return w.row

    def _refusal_has_control(self, event: Event, changes: Changes) -> None:
        """A refusal counts only beside an acceptance of the new pair (section 5)."""
        if changes.get("refusals", 0) > self.w.row.refusals and event.outcome is not Outcome.FAILED:
            at = self.w.last_accepted.get(self.w.row.new_key)
            asked = [key for key in self.w.row.old_keys if self._knows(key)]
            rule(not asked or self._just_now(at), "REFUSAL without a control")
            rule(all(self._just_now(self.w.last_refused.get(key)) for key in asked), "REFUSAL that was none")

    def _just_now(self, at: datetime | None) -> bool:
        return at is not None and self.w.now - at <= timedelta(seconds=5)

    def _knows(self, key: str) -> bool:
        content = self.w.escrow.get(self.w.escrow_number)
        return content is not None and content.find(key) is not None

    def ask_abandon(self, rotation_id: str, who: Who, *, now: bool = False) -> Rotation:
        changes = abandoned(self.w.row, now=now)
        if changes is not None:
            self.w.rows[-1] = replace(self.w.row, **changes)
        return self.w.row

    def ask_way(self, rotation_id: str, who: Who, seconds: float) -> Rotation:
        changes = gives_way(self.w.row, self.w.now + timedelta(seconds=seconds))
        if changes is not None:
            self.w.rows[-1] = replace(self.w.row, **changes)
        return self.w.row

    def release(self, rotation_id: str, who: Who, *, discard_foreign: str = "") -> Rotation:
        self.w.rows[-1] = replace(self.w.row, **released(self.w.row, discard_foreign=discard_foreign))
        return self.w.row

    def say(self, rotation_id: str, who: Who, word: Word, key_fp: str = "") -> Rotation:
        self.w.rows[-1] = replace(self.w.row, **(said(self.w.row, word, self.w.now) or {}))
        return self.w.row

    def rotations(self, *, open_only: bool = True, app: str = "") -> tuple[Rotation, ...]:
        return tuple(row for row in self.w.rows if not (open_only and row.ended))
