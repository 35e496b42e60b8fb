"""Pauses: one row each, a row of the trail for each that begins or is lifted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select

from rotator.adapters.sql.audit import Context, Subject, append, seq_of
from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.tables import pauses
from rotator.domain.event import Event
from rotator.domain.pause import Pause, Scope
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase


def in_force(connection: Connection, now: datetime) -> tuple[Pause, ...]:
    """Every pause that has not ended by itself."""
    found = (_pause(row) for row in connection.execute(select(pauses).order_by(pauses.c.scope, pauses.c.name)))
    return tuple(pause for pause in found if pause.in_force(now))


class Pauses:
    """The pauses of one database. `context` stands in the trail."""

    def __init__(self, database: Database, context: Context) -> None:
        self.database, self.context = database, context

    def begin(self, scope: Scope, name: str, org: str, who: Who, seconds: float | None = None) -> Pause:
        """Pauses, by the database's clock; one that is there is replaced. `org`: of an app, for the trail."""
        event = Event("pause", Phase.DECISION, Outcome.OK)

        def work(connection: Connection) -> Pause:
            now = self.database.now(connection)
            until = now + timedelta(seconds=seconds) if seconds is not None else None
            pause = Pause(scope, name, who.actor, who.reason, now, until)
            if seq_of(connection, event.id) is None:
                connection.execute(delete(pauses).where(_named(scope, name)))
                connection.execute(insert(pauses), _row(pause))
                self._tell(connection, now, who, event, pause, org)
            return pause

        return self.database.write(work)

    def lift(self, scope: Scope, name: str, org: str, who: Who) -> Pause | None:
        """Ends it; None where there was none in force."""
        event = Event("resume", Phase.DECISION, Outcome.OK)

        def work(connection: Connection) -> Pause | None:
            now = self.database.now(connection)
            row = connection.execute(select(pauses).where(_named(scope, name))).first()
            if row is None:
                return None
            connection.execute(delete(pauses).where(_named(scope, name)))
            pause = _pause(row)
            if not pause.in_force(now):
                return None
            self._tell(connection, now, who, event, pause, org)
            return pause

        return self.database.write(work)

    def _tell(self, connection: Connection, now: datetime, who: Who, event: Event, pause: Pause, org: str) -> None:
        evidence = {"scope": pause.scope, "name": pause.name, "until": pause.until}
        subject = Subject(org=org, app=pause.name if pause.scope is Scope.APP else "")
        told = Event(event.step, event.phase, event.outcome, evidence=evidence, id=event.id)
        append(connection, now, self.context, who, subject, told)


def _named(scope: Scope, name: str) -> ColumnElement[bool]:
    return (pauses.c.scope == scope.value) & (pauses.c.name == name)


def _row(pause: Pause) -> dict[str, Any]:
    until = moment(pause.until) if pause.until else None
    return {"scope": pause.scope.value, "name": pause.name, "actor": pause.actor, "reason": pause.reason,
            "since": moment(pause.since), "until": until}  # fmt: skip


def _pause(row: Row[Any]) -> Pause:
    until = instant(row.until) if row.until else None
    return Pause(Scope(row.scope), row.name, row.actor, row.reason, instant(row.since), until)
