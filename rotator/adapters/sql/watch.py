"""Whether somebody looks for what is due: a daemon writes its beat, and a long silence between two is an outage.

A clock that jumps forward looks the same, and is met the same way: what is due by then is spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.tables import watch
from rotator.domain.policy import Outage

BEAT = timedelta(minutes=1)
SILENCE = timedelta(minutes=10)  # a shorter one is a restart


@dataclass(frozen=True, slots=True)
class Watch:
    """When a daemon last looked (None: never), and the last outage."""

    looked_at: datetime | None = None
    outage: Outage | None = None

    def stale(self, now: datetime) -> bool:
        """Whether it is time for a beat; also where the clock was set back."""
        return self.looked_at is None or not self.looked_at <= now < self.looked_at + BEAT


def look(connection: Connection) -> Watch:
    """What stands there."""
    row = connection.execute(select(watch)).first()
    if row is None:
        return Watch()
    outage = Outage(instant(row.gone_at), instant(row.back_at)) if row.back_at else None
    return Watch(instant(row.looked_at) if row.looked_at else None, outage)


def beat(database: Database) -> None:
    """Somebody looks, now. One that comes after a long silence writes down the outage."""

    def work(connection: Connection) -> None:
        now, seen = database.now(connection), look(connection)
        values: dict[str, Any] = {"looked_at": moment(now)}
        if seen.looked_at is not None and now - seen.looked_at >= SILENCE:
            values |= {"gone_at": moment(seen.looked_at), "back_at": moment(now)}
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        added = make(watch).values(id=1, **values)
        connection.execute(added.on_conflict_do_update(index_elements=["id"], set_=values))

    database.write(work)
