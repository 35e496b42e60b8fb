"""The outbox: notices that wait for their channels. Written by `alarms`, in the transactions that cause them.

A sender claims a row for a while, sends, and says what came of it; a sender that died is followed by another when its
claim is over. So each notice arrives at least once, and in the ordinary case once, however many daemons there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, or_, select, update

from rotator.adapters.sql import alarms
from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.tables import alarms as alarms_table
from rotator.adapters.sql.tables import outbox
from rotator.domain.notice import Backlog, Notice, Parcel, Routes, Topic, nobody

LIFE = timedelta(hours=24)  # a notice that found nobody for so long is given up
AGAIN = timedelta(hours=24)  # what holds is told again
KEPT = timedelta(days=30)  # what was sent or given up; longer than a rotation is young, so that no hook runs twice
FORGOTTEN = timedelta(days=90)  # a condition that nobody says any more: its app may have left the configuration


class Outbox:
    """The outbox of one database. `host` stands in every notice, `routes` says who is told."""

    def __init__(self, database: Database, host: str, routes: Routes = nobody) -> None:
        self.database, self.host, self.routes = database, host, routes

    def tell(self, notices: Iterable[Notice]) -> None:
        """Says that conditions hold or are over, outside a rotation. What was told already is not told again."""
        said = list(notices)

        def work(connection: Connection) -> None:
            alarms.follow(connection, self.database.now(connection), self.host, said, self.routes)

        if said and self.routes is not nobody:
            self.database.write(work)

    def told(self, topic: Topic) -> list[Notice]:
        """The conditions of this topic that hold, as they were last told."""
        return self.database.read(lambda connection: alarms.told(connection, topic))

    def tend(self) -> None:
        """Tells again what has lasted for a day, and forgets what is old."""

        def work(connection: Connection) -> None:
            now = self.database.now(connection)
            alarms.again(connection, now, self.host, AGAIN, self.routes)
            connection.execute(delete(outbox).where(outbox.c.ended_at < moment(now - KEPT)))
            connection.execute(delete(alarms_table).where(alarms_table.c.since < moment(now - FORGOTTEN)))

        self.database.write(work)

    # --- senders

    def due(self, channel: str) -> bool:
        """Whether a row waits for this channel now: a cheap look before a claim."""

        def look(connection: Connection) -> bool:
            now = moment(self.database.now(connection))
            return connection.execute(select(outbox.c.id).where(*_due(channel, now)).limit(1)).first() is not None

        return self.database.read(look)

    def claim(self, channel: str, owner: str, seconds: float) -> Parcel | None:
        """The oldest row that is due, for this sender alone as long as said; None where there is none.

        What is younger under the same key waits for what is older: an end never overtakes its beginning.
        """

        def work(connection: Connection) -> Parcel | None:
            now = self.database.now(connection)
            chosen = select(outbox).where(*_due(channel, moment(now))).order_by(outbox.c.at, outbox.c.id).limit(1)
            row = connection.execute(chosen.with_for_update(skip_locked=True, of=outbox)).first()
            if row is None:
                return None
            until = moment(now + timedelta(seconds=seconds))
            told = {"owner": owner, "lease_until": until, "tries": row.tries + 1}
            connection.execute(update(outbox).where(outbox.c.id == row.id).values(told))
            return Parcel(row.id, row.channel, alarms.notice_of(row.body), row.tries + 1)

        return self.database.write(work)

    def sent(self, parcel: Parcel, owner: str) -> None:
        """It arrived."""
        self.database.write(lambda c: self._close(c, parcel, owner, "sent", ""))

    def give_up(self, parcel: Parcel, owner: str, error: str) -> None:
        """It will not be tried again."""
        self.database.write(lambda c: self._close(c, parcel, owner, "given_up", error))

    def put_off(self, parcel: Parcel, owner: str, seconds: float, error: str) -> bool:
        """It did not arrive; tried again so much later. Gives False where it is too old for that, and given up."""

        def work(connection: Connection) -> bool:
            now = self.database.now(connection)
            if parcel.notice.at is not None and now - parcel.notice.at >= LIFE:
                self._close(connection, parcel, owner, "given_up", error)
                return False
            later = {"next_at": moment(now + timedelta(seconds=seconds)), "lease_until": None, "error": error}
            connection.execute(update(outbox).where(*_ours(parcel, owner)).values(later))
            return True

        return self.database.write(work)

    def backlog(self) -> Sequence[Backlog]:
        """Per channel what waits, and what was given up within the time that rows are kept."""
        state, at = outbox.c.state, outbox.c.at
        counted = select(outbox.c.channel, state, func.count(), func.min(at), func.max(outbox.c.error))
        open_ = counted.where(state != "sent").group_by(outbox.c.channel, state)
        rows = self.database.read(lambda connection: [tuple(row) for row in connection.execute(open_)])
        return [_backlog(name, rows) for name in sorted({row[0] for row in rows})]

    def _close(self, connection: Connection, parcel: Parcel, owner: str, state: str, error: str) -> None:
        now = moment(self.database.now(connection))
        told = {"state": state, "ended_at": now, "lease_until": None, "error": error}
        connection.execute(update(outbox).where(*_ours(parcel, owner)).values(told))


def _due(channel: str, now: str) -> list[ColumnElement[bool]]:
    older = outbox.alias("older")
    same = (older.c.channel == outbox.c.channel) & (older.c.key == outbox.c.key) & (older.c.state == "waiting")
    free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < now)
    first = ~exists().where(same & (older.c.at < outbox.c.at))
    return [outbox.c.channel == channel, outbox.c.state == "waiting", outbox.c.next_at <= now, free, first]


def _ours(parcel: Parcel, owner: str) -> list[ColumnElement[bool]]:
    """The row, as long as nobody took it over from this sender."""
    return [outbox.c.id == parcel.id, outbox.c.owner == owner, outbox.c.state == "waiting"]


def _backlog(channel: str, rows: Sequence[tuple[Any, ...]]) -> Backlog:
    mine = {row[1]: (row[2], row[3], row[4]) for row in rows if row[0] == channel}
    waiting, oldest, error = mine.get("waiting", (0, None, ""))
    given_up, _, last = mine.get("given_up", (0, None, ""))
    return Backlog(channel, waiting, given_up, instant(oldest) if oldest else None, error or last)

