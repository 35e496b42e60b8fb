"""Forced rotations that one person began alone (break-glass), until another has reviewed them. Read from the trail."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, text

from rotator.adapters.sql import alarms, store
from rotator.adapters.sql.audit import Context, Subject, append, seq_of
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.tables import audit_events
from rotator.domain.errors import NotFound, Refused
from rotator.domain.event import Event
from rotator.domain.ids import sortable_id
from rotator.domain.notice import Routes, Status, broken_glass, nobody
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase


def unreviewed(database: Database) -> Sequence[Rotation]:
    """The break-glass rotations that nobody has reviewed, oldest first."""

    def look(connection: Connection) -> Sequence[Rotation]:
        event = audit_events.c
        ids = select(event.rotation_id).where(text("break_glass = 1"), event.step == "force").distinct()
        found = [str(one) for one in connection.execute(ids).scalars() if one]
        rows = (store.get(connection, one) for one in sorted(found) if not _reviewed(connection, one))
        return [row for row in rows if row is not None and row.who.break_glass]

    return database.read(look)


def _reviewed(connection: Connection, rotation_id: str) -> bool:
    event = audit_events.c
    mine = (event.rotation_id == rotation_id, event.step == "review", event.outcome == Outcome.OK.value)
    return connection.execute(select(event.seq).where(*mine).limit(1)).first() is not None


def review(database: Database, context: Context, rotation_id: str, who: Who, routes: Routes = nobody) -> Rotation:
    """Another person has looked through it (`who.reason`: what they found). Raises NotFound, and Refused where there is
    nothing to review or the same person asks; the refusal leaves a row."""
    event_id = sortable_id()

    def work(connection: Connection) -> tuple[Rotation, Refused | None]:
        row = store.get(connection, rotation_id)
        if row is None:
            raise NotFound("there is no rotation of this id", code="no_rotation", fix="see `rotator status`")
        if seq_of(connection, event_id) is not None:
            return row, None
        now, no = database.now(connection), _why_not(connection, row, who)
        event = Event("review", Phase.DECISION, Outcome.REFUSED if no else Outcome.OK, error=no.message if no else "",
                      evidence={"forced_by": row.who.actor}, id=event_id)  # fmt: skip
        append(connection, now, context, who, Subject.of(row), event)
        if no is None:
            alarms.follow(connection, now, context.host, [broken_glass(row, Status.RESOLVED)], routes)
        return row, no

    found, no = database.write(work)
    if no is not None:
        raise no
    return found


def _why_not(connection: Connection, row: Rotation, who: Who) -> Refused | None:
    if not row.who.break_glass:
        return Refused(f"the rotation of {row.app} was not forced by one person alone", code="not_break_glass",
                       fix="there is nothing to review")
    if row.who.same_person(who):
        return Refused(f"{who.actor} forced it and cannot review it", code="review_own",
                       fix=f"another person runs `rotator review {row.id}`")
    if _reviewed(connection, row.id):
        return Refused("it was reviewed already", code="reviewed", fix=f"see `rotator history {row.app}`")
    return None
