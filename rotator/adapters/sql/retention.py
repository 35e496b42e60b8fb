"""Retention: the oldest rows go, a tombstone stays, and a legal hold keeps what it names.

The chain must stay one piece, so what goes is always its beginning: a row that has to stay keeps every later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from rotator.adapters.sql import guard
from rotator.adapters.sql.audit import Context, Subject, append, seq_of
from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.tables import OPEN, audit_events, legal_holds, rotations
from rotator.domain.errors import LeaseTaken, Refused
from rotator.domain.event import Event
from rotator.domain.pause import Scope
from rotator.domain.rotation import Who
from rotator.domain.tombstone import Tombstone
from rotator.domain.words import Outcome, Phase

MOST = 100_000  # rows behind one tombstone: a transaction that locks the trail stays short


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Rows of this app, of this org, or all (`name` "") are not pruned until it is released."""

    scope: Scope
    name: str
    actor: str
    reason: str
    ticket: str
    since: datetime

    def __str__(self) -> str:
        return f"the legal hold of {self.name or 'everything'} ({self.ticket}, by {self.actor})"


@dataclass(frozen=True, slots=True)
class Horizon:
    """The rows that may go now: `first` to `to`, none where `to` is less. `kept_by`: why not more, in words."""

    first: int
    to: int
    last_hash: str
    before: datetime
    kept_by: str = ""

    @property
    def rows(self) -> int:
        return max(0, self.to - self.first + 1)


def horizon(database: Database, retention: timedelta, most: int = MOST) -> Horizon:
    """What may be pruned now, at most so many rows."""
    return database.read(lambda connection: _horizon(connection, database.now(connection) - retention, most))


def _horizon(connection: Connection, before: datetime, most: int) -> Horizon:
    first, head = connection.execute(select(func.min(audit_events.c.seq), func.max(audit_events.c.seq))).one()
    if first is None:
        return Horizon(1, 0, "", before)
    young = _first(connection, audit_events.c.ts >= moment(before))
    limits = [(young if young is not None else head, ""), *_open(connection), *_held(connection)]
    limit, why = min(limits)
    to = min(limit - 1, first + most - 1)
    chosen = select(audit_events.c.hash).where(audit_events.c.seq == to)
    return Horizon(first, to, str(connection.execute(chosen).scalar() or ""), before, why)


def _open(connection: Connection) -> list[tuple[int, str]]:
    """An open rotation keeps its rows: state is rebuilt from them."""
    mine = audit_events.c.rotation_id.in_(select(rotations.c.id).where(text(OPEN)))
    seq = _first(connection, mine)
    return [(seq, "a rotation that is still open")] if seq is not None else []


def _held(connection: Connection) -> list[tuple[int, str]]:
    found = ((_first(connection, *_rows_of(one)), str(one)) for one in _holds(connection))
    return [(seq, why) for seq, why in found if seq is not None]


def _rows_of(hold: LegalHold) -> list[Any]:
    return [] if hold.scope is Scope.ALL else [audit_events.c[hold.scope.value] == hold.name]


def _first(connection: Connection, *where: Any) -> int | None:
    return connection.execute(select(func.min(audit_events.c.seq)).where(*where)).scalar()


def prune(database: Database, context: Context, who: Who, stone: Tombstone) -> int:
    """Writes the tombstone and removes what it names, in one transaction. Gives the tombstone's seq.

    Raises LeaseTaken where the trail begins elsewhere by now, Refused where a legal hold or an open rotation came up,
    and what the database refuses: on PostgreSQL only the owner of the tables may delete.
    """
    event = Event("prune", Phase.DECISION, Outcome.OK, evidence=stone.evidence())

    def work(connection: Connection) -> int:
        known = seq_of(connection, event.id)
        if known is not None:
            return known
        seq = append(connection, database.now(connection), context, who, Subject(), event)
        now = _horizon(connection, instant(stone.before), stone.count)
        if (now.first, now.last_hash) != (stone.first, stone.last_hash):
            _stop(now, stone)
        with guard.pruning(connection):
            connection.execute(delete(audit_events).where(audit_events.c.seq <= stone.to))
        return seq

    return database.write(work)


def _stop(now: Horizon, stone: Tombstone) -> None:
    if now.first != stone.first:
        raise LeaseTaken("somebody else has pruned meanwhile", fix="run it again")
    raise Refused(f"rows must stay: {now.kept_by or 'they are too young'}", code="kept", fix="run it again")


# --- legal holds


def holds(database: Database) -> list[LegalHold]:
    """Those in force."""
    return database.read(_holds)


def _holds(connection: Connection) -> list[LegalHold]:
    found = connection.execute(select(legal_holds).order_by(legal_holds.c.scope, legal_holds.c.name))
    return [LegalHold(Scope(row.scope), row.name, row.actor, row.reason, row.ticket, instant(row.since))
            for row in found]  # fmt: skip


def hold(database: Database, context: Context, who: Who, scope: Scope, name: str, *, release: bool) -> bool:
    """Places a legal hold, or releases it, with a row in the trail. Gives whether anything changed."""
    event = Event("legal_hold", Phase.DECISION, Outcome.OK, evidence={"scope": scope.value, "name": name,
                                                                      "released": release})  # fmt: skip
    mine = (legal_holds.c.scope == scope.value) & (legal_holds.c.name == name)

    def work(connection: Connection) -> bool:
        if seq_of(connection, event.id) is not None:
            return True
        there = connection.execute(select(legal_holds.c.scope).where(mine)).first() is not None
        if there is not release:
            return False
        now = database.now(connection)
        if release:
            connection.execute(delete(legal_holds).where(mine))
        else:
            connection.execute(insert(legal_holds).values(scope=scope.value, name=name, actor=who.actor,
                               reason=who.reason, ticket=who.ticket, since=moment(now)))  # fmt: skip
        append(connection, now, context, who, _subject(scope, name), event)
        return True

    return database.write(work)


def _subject(scope: Scope, name: str) -> Subject:
    return Subject(app=name if scope is Scope.APP else "", org=name if scope is Scope.ORG else "")
