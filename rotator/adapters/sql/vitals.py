"""What is watched beside the rotations: the end of the audit chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from rotator.adapters.sql.database import Database, instant
from rotator.adapters.sql.tables import audit_events, audit_head


@dataclass(frozen=True, slots=True)
class Vitals:
    """`seq` 0 and `at` None: the trail is empty."""

    seq: int
    at: datetime | None


def vitals(database: Database) -> Vitals:
    """Looks once, by primary keys alone. Raises as every read."""

    def look(connection: Connection) -> Vitals:
        seq = int(connection.execute(select(audit_head.c.seq)).scalar() or 0)
        at = connection.execute(select(audit_events.c.ts).where(audit_events.c.seq == seq)).scalar()
        return Vitals(seq, instant(at) if at else None)

    return database.read(look)
