"""The ledger: each method is one transaction that changes the row and appends to the trail, or does neither.

Locks are taken in one order, the consumer's row first and the head of the chain last, so no two writers can wait for
each other. Every transaction that changes something has an event id of its own: where the answer to its COMMIT was
lost, the repeat finds that id in the trail and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from rotator.adapters.sql import alarms, leases, orgs, store
from rotator.adapters.sql.audit import Context, Subject, append, seq_of
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.plain import plain
from rotator.adapters.sql.rows import from_row, known_fields, to_row
from rotator.adapters.sql.tables import OPEN, rotations
from rotator.domain.changes import Changes
from rotator.domain.event import Event
from rotator.domain.ids import sortable_id
from rotator.domain.notice import Routes, nobody, tidings
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase, State, Word
from rotator.ports import Lease, Opening, Record
from rotator.saga.requests import abandoned, gives_way, opened, released, said, superseded, takes_over, word_event


class SqlLedger:
    """The port `Ledger` on one database. `context` stands in every audit row, `routes` says who is told of a change."""

    def __init__(self, database: Database, context: Context, routes: Routes = nobody) -> None:
        self.database = database
        self.context = context
        self.routes = routes

    # --- leases

    def claim(self, org_id: str, consumer_id: str, owner: str, seconds: float, *, seize: bool = False) -> Lease | None:
        """See the port. Taking over a lease that ran out is a row in the trail: somebody died or froze, or was made
        to stop."""
        event_id = sortable_id()

        def work(connection: Connection) -> Lease | None:
            row = leases.ensure(connection, org_id, consumer_id)
            now = self.database.now(connection)
            lease = leases.take(connection, row, owner, seconds, now, seize=seize)
            if lease is not None and row.owner not in ("", owner):
                self._took_over(connection, row, lease, now, event_id)
            return lease

        return self.database.write(work)

    def extend(self, lease: Lease, seconds: float) -> None:
        """See the port."""

        def work(connection: Connection) -> None:
            row = leases.hold(connection, lease)
            leases.change(connection, row, **leases.until(self.database.now(connection), seconds))

        self.database.write(work)

    def yield_lease(self, lease: Lease) -> None:
        """See the port."""

        def work(connection: Connection) -> None:
            row = leases.lock(connection, lease.org_id, lease.consumer_id)
            if row is not None and (row.owner, row.epoch) == (lease.owner, lease.epoch):
                leases.change(connection, row, owner="", lease_until=None)

        self.database.write(work)

    # --- the rotation

    def open(self, lease: Lease, opening: Opening) -> Rotation:
        """See the port."""
        rotation_id, ended_id = sortable_id(), sortable_id()

        def work(connection: Connection) -> Rotation:
            row = leases.hold(connection, lease)
            last = store.get(connection, row.rotation_id)
            if last is not None and last.id == rotation_id:
                return last  # our own earlier run
            if last is not None and not takes_over(opening, last):
                return last
            now = self.database.now(connection)
            new = opened(opening, last, rotation_id, now)
            if last is not None and not last.ended:
                self._supersede(connection, last, new, now, ended_id)
            connection.execute(insert(rotations), to_row(new))
            leases.change(connection, row, rotation_id=new.id, **leases.longer(row, now))
            alarms.follow(connection, now, self.context.host, tidings(None, new), self.routes)
            step = "force" if new.force else "request"
            evidence = {"parent_id": new.parent_id, "set": plain(new)}
            event = Event(step, Phase.DECISION, Outcome.OK, evidence=evidence, id=rotation_id)
            append(connection, now, self.context, new.who, Subject.of(new), event)
            return new

        return self.database.write(work)

    def read(self, org_id: str, consumer_id: str) -> Record:
        """See the port."""

        def work(connection: Connection) -> Record:
            row = leases.find(connection, org_id, consumer_id)
            facts = orgs.facts(connection, org_id)
            now = self.database.now(connection)
            if row is None:
                return Record(None, (), -1, -1, facts, now)
            unknown = tuple(json.loads(row.open_intents))
            rotation = store.get(connection, row.rotation_id)
            return Record(rotation, unknown, row.publish_cas, row.escrow_cas, facts, now)

        return self.database.read(work)

    def commit(
        self,
        lease: Lease,
        seen: Rotation,
        event: Event,
        changes: Changes,
        *,
        publish_cas: int | None = None,
        escrow_cas: int | None = None,
        learned: Mapping[str, str] | None = None,
    ) -> Rotation:
        """See the port. A row that ends without `ended_at` gets the database's time."""
        known_fields(changes)
        facts = {name: str(plain(value)) for name, value in (learned or {}).items()}
        both = {"publish_cas": publish_cas, "escrow_cas": escrow_cas}
        moved = {name: cas for name, cas in both.items() if cas is not None}
        more = {**moved, **({"learned": facts} if facts else {})}

        def work(connection: Connection) -> Rotation:
            if seq_of(connection, event.id) is not None:
                return store.must(connection, seen.id)
            row = leases.hold(connection, lease)
            before = store.current(connection, row, seen, event, changes)
            now = self.database.now(connection)
            told = store.with_end(before, changes, now)
            only = [rotations.c.goal == seen.goal] if event.phase is Phase.INTENT else []
            after = store.save(connection, before, told, *only)
            unknown = json.dumps(store.intents(row, event))
            leases.change(connection, row, open_intents=unknown, **moved, **leases.longer(row, now))
            orgs.learn(connection, lease.org_id, facts, f"{event.step} of rotation {seen.id}", now)
            spoken = replace(event, evidence={**event.evidence, **more})
            self._tell(connection, before, after, told, spoken, now)
            return after

        return self.database.write(work)

    # --- operators

    def ask_abandon(self, rotation_id: str, who: Who, *, now: bool = False) -> Rotation:
        """See the port."""
        # One conditional update excludes a promote intent; nobody works at a held row.
        only = (rotations.c.promoting == 0) | (rotations.c.state == State.HELD.value)
        event = Event("abandon", Phase.DECISION, Outcome.OK)
        return self._act(event, rotation_id, who, lambda before: abandoned(before, now=now), only)

    def ask_way(self, rotation_id: str, who: Who, seconds: float) -> Rotation:
        """See the port."""
        until = self.database.read(self.database.now) + timedelta(seconds=seconds)
        event = Event("force", Phase.DECISION, Outcome.OK)
        return self._act(event, rotation_id, who, lambda before: gives_way(before, until))

    def release(self, rotation_id: str, who: Who, *, discard_foreign: str = "") -> Rotation:
        """See the port."""
        event = Event("release", Phase.DECISION, Outcome.OK)
        return self._act(event, rotation_id, who, lambda before: released(before, discard_foreign=discard_foreign))

    def say(self, rotation_id: str, who: Who, word: Word, key_fp: str = "") -> Rotation:
        """See the port."""
        now = self.database.read(self.database.now)
        return self._act(word_event(word, key_fp), rotation_id, who, lambda before: said(before, word, now))

    def hold(self, rotation_id: str, who: Who, *, code: str, message: str, fix: str) -> Rotation:
        """Holds an open rotation, whoever may be at it; nothing where it has ended or is held for this already."""
        held: Changes = {"state": State.HELD, "reason": code, "message": message, "fix": fix, "next_at": None,
                         "released": False, "step": "hold"}
        event = Event("hold", Phase.DECISION, Outcome.HELD, error=message, evidence={"code": code, "fix": fix})

        def told(before: Rotation) -> Changes | None:
            return None if before.ended or before.reason == code else held

        return self._act(event, rotation_id, who, told)

    # --- looking

    def rotations(self, *, open_only: bool = True, app: str = "") -> tuple[Rotation, ...]:
        """See the port."""
        chosen = select(rotations).order_by(rotations.c.started_at, rotations.c.number, rotations.c.id)
        if open_only:
            chosen = chosen.where(text(OPEN))
        if app:
            chosen = chosen.where(rotations.c.app == app)
        return self.database.read(lambda connection: tuple(from_row(r._mapping) for r in connection.execute(chosen)))

    def rotation(self, rotation_id: str) -> Rotation | None:
        """The rotation of this id; None where there is none."""
        return self.database.read(lambda connection: store.get(connection, rotation_id))

    # --- inside a transaction

    def _act(
        self, event: Event, rotation_id: str, who: Who, told_by: Callable[[Rotation], Changes | None], *only: Any
    ) -> Rotation:
        """What is done to a rotation without its lease: one update and one row; nothing where nothing would change."""

        def work(connection: Connection) -> Rotation:
            before = store.locked(connection, rotation_id)
            if seq_of(connection, event.id) is not None:
                return before
            told = told_by(before)
            if told is None:
                return before
            after = store.save(connection, before, told, *only)
            self._tell(connection, before, after, told, event, self.database.now(connection), who=who)
            return after

        return self.database.write(work)

    def _supersede(self, connection: Connection, last: Rotation, new: Rotation, now: datetime, event_id: str) -> None:
        told = superseded(now)
        after = store.save(connection, last, told)
        step = "force" if new.force else "request"
        event = Event(step, Phase.DECISION, Outcome.OK, evidence={"superseded_by": new.id}, id=event_id)
        self._tell(connection, last, after, told, event, now, who=new.who)

    def _took_over(self, connection: Connection, row: Row[Any], lease: Lease, now: datetime, event_id: str) -> None:
        open_rotation = store.get(connection, row.rotation_id)
        evidence = {"owner": lease.owner, "epoch": lease.epoch, "was": row.owner, "ran_out": row.lease_until}
        event = Event("lease", Phase.OBSERVE, Outcome.OK, evidence=evidence, id=event_id)
        subject = Subject.of(open_rotation) if open_rotation and not open_rotation.ended else Subject()
        append(connection, now, self.context, Who(), subject, event)

    def _tell(
        self,
        connection: Connection,
        before: Rotation,
        after: Rotation,
        told: Changes,
        event: Event,
        now: datetime,
        who: Who | None = None,
    ) -> None:
        """The notices of the change, and its audit row. The evidence holds all that changed, so that the state can be
        rebuilt from the trail."""
        alarms.follow(connection, now, self.context.host, tidings(before, after), self.routes)
        evidence = {**event.evidence, "set": told}
        subject = Subject.of(after, before)
        append(connection, now, self.context, who or after.who, subject, replace(event, evidence=evidence))
