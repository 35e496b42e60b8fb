"""Adoptions: rows of the trail beside all rotations, with what they mean for the consumer's lease row."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from rotator.adapters.sql import leases
from rotator.adapters.sql.audit import Subject, append, seq_of
from rotator.adapters.sql.database import instant
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.tables import audit_events
from rotator.domain.errors import RotatorError
from rotator.domain.event import Event
from rotator.domain.pair import Target
from rotator.domain.rotation import Who
from rotator.domain.sighting import Taken
from rotator.domain.words import Outcome, Phase
from rotator.ports import Lease, Record
from rotator.saga.adopt import Change

STEP = "adopt"


class Adoptions:
    """One adoption under its lease: `saga.adopt.Book`."""

    def __init__(self, ledger: SqlLedger, lease: Lease, who: Who, app: str, org: str, target: Target) -> None:
        self._ledger, self._lease, self._who = ledger, lease, who
        self._app, self._org, self._target = app, org, target

    def read(self) -> Record:
        """See the port."""
        return self._ledger.read(self._lease.org_id, self._lease.consumer_id)

    def intent(self, change: Change, cas: int) -> None:
        """See the port."""
        self._commit(Event(STEP, Phase.INTENT, evidence=self._told(change) | {"publish_cas": cas}), change, cas)

    def outcome(self, change: Change, outcome: Outcome, *, version: int | None = None,
                error: RotatorError | None = None) -> None:
        """See the port."""
        event = Event(STEP, Phase.OUTCOME, outcome, vault_version=version, error=error.message if error else "",
                      http_status=error.http_status if error else None, evidence=self._told(change))  # fmt: skip
        self._commit(event, change)

    def observe(self, change: Change, version: int) -> None:
        """See the port."""
        told = self._told(change)
        self._commit(Event(STEP, Phase.OBSERVE, Outcome.OK, vault_version=version, evidence=told), change)

    def _told(self, change: Change) -> dict[str, object]:
        """What the sweep and a rebuild read again. A consumer key is a public id."""
        consumer = {"org_id": self._lease.org_id, "consumer_id": self._lease.consumer_id}
        return {"consumer": consumer, "key": change.new, "run_as": change.user, "probe": change.probe}

    def _commit(self, event: Event, change: Change, cas: int | None = None) -> None:
        database = self._ledger.database
        subject = Subject(org=self._org, app=self._app, old_key=change.old, new_key=change.new,
                          vault_path=self._target.path)  # fmt: skip

        def work(connection: Connection) -> None:
            if seq_of(connection, event.id) is not None:
                return  # our own earlier run
            row = leases.hold(connection, self._lease)
            now = database.now(connection)
            unknown = json.dumps(open_after(json.loads(row.open_intents), event.phase))
            moved = {} if cas is None else {"publish_cas": cas}
            leases.change(connection, row, open_intents=unknown, **moved, **leases.longer(row, now))
            append(connection, now, self._ledger.context, self._who, subject, event)

        database.write(work)


def open_after(unknown: list[str], phase: Phase) -> list[str]:
    """The consumer's open intents after a row of an adoption: those of a rotation are none of its business."""
    others = [step for step in unknown if step != STEP]
    return [*others, STEP] if phase is Phase.INTENT else others


def last_taken(connection: Connection, app: str) -> Taken | None:
    """The key that the app's last good adoption took, and when; None where there was none."""
    events = audit_events.c
    chosen = (
        select(events.evidence, events.ts)
        .where(events.app == app, events.step == STEP, events.outcome == Outcome.OK.value)
        .order_by(events.seq.desc())
        .limit(1)
    )
    row = connection.execute(chosen).first()
    return Taken(str(json.loads(row.evidence)["key"]), instant(row.ts)) if row else None
