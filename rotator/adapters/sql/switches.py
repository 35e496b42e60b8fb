"""What the trail knows of an app's OAuth switch: who turned it last."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from rotator.adapters.sql.database import instant
from rotator.adapters.sql.tables import audit_events
from rotator.domain.sighting import Turned
from rotator.domain.words import Outcome, Phase


def last_turned(connection: Connection, apps: Sequence[str]) -> Turned | None:
    """The newest intent to turn the one switch of these apps, or the newest row that found it as it was wanted; None:
    neither."""
    events = audit_events.c
    as_wanted = (events.phase == Phase.OBSERVE.value) & (events.outcome == Outcome.OK.value)
    chosen = (
        select(events.step, events.rotation_id, events.ts)
        .where(events.app.in_(apps), events.step.in_(("block", "unblock")))
        .where((events.phase == Phase.INTENT.value) | as_wanted)
        .order_by(events.seq.desc())
        .limit(1)
    )
    row = connection.execute(chosen).first()
    return Turned(row.step, row.rotation_id or "", instant(row.ts)) if row else None
