"""Conditions that hold, each told once and again while it lasts, and the notices that say so in the outbox.

Runs inside the transaction of whatever caused the notice: what is committed is told, what is told was committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rotator.adapters.sql.database import instant, moment
from rotator.adapters.sql.plain import build, plain
from rotator.adapters.sql.tables import alarms, outbox
from rotator.domain.chain import canonical
from rotator.domain.ids import sortable_id
from rotator.domain.notice import Notice, Routes, Status, Topic, nobody


def follow(connection: Connection, now: datetime, host: str, notices: Iterable[Notice], routes: Routes) -> None:
    """Puts into the outbox what is news: a condition that was not told yet, the end of one that was, an event.

    Where no channel wants a topic nothing is written; where there is none at all nothing is looked at.
    """
    for notice in notices if routes is not nobody else ():
        whole = replace(notice, host=host, at=now, since=notice.since or now)
        if notice.status is Status.RESOLVED:
            _end(connection, now, whole, routes)
        elif routes(notice) and (notice.status is Status.ONCE or _is_news(connection, now, whole)):
            _put(connection, now, whole, routes)


def again(connection: Connection, now: datetime, host: str, after: timedelta, routes: Routes) -> None:
    """Tells once more what holds and was told longer ago than this. Two that do so at once tell it once."""
    due = select(alarms.c.key, alarms.c.told_at, alarms.c.body).where(alarms.c.told_at <= moment(now - after))
    for row in connection.execute(due.order_by(alarms.c.key)).all():
        same = (alarms.c.key == row.key) & (alarms.c.told_at == row.told_at)
        if connection.execute(update(alarms).where(same).values(told_at=moment(now))).rowcount:
            once_more = replace(notice_of(row.body), id=sortable_id(), at=now, host=host, again=True)
            _put(connection, now, once_more, routes)


def told(connection: Connection, topic: Topic) -> list[Notice]:
    """The conditions of this topic that hold, as they were last told."""
    rows = connection.execute(select(alarms.c.body).where(alarms.c.topic == topic.value).order_by(alarms.c.key))
    return [notice_of(body) for (body,) in rows]


def _is_news(connection: Connection, now: datetime, notice: Notice) -> bool:
    """Whether the condition was not there yet; where it was, what is said of it is brought up to date."""
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"key": notice.key, "topic": notice.topic.value, "body": canonical(plain(notice)), "since": moment(now),
           "told_at": moment(now)}  # fmt: skip
    new = make(alarms).values(row).on_conflict_do_nothing().returning(alarms.c.key)
    if connection.execute(new).first():
        return True
    since = connection.execute(select(alarms.c.since).where(alarms.c.key == notice.key)).scalar()
    body = canonical(plain(replace(notice, since=instant(since) if since else notice.since)))
    connection.execute(update(alarms).where(alarms.c.key == notice.key).values(body=body))
    return False


def _end(connection: Connection, now: datetime, notice: Notice, routes: Routes) -> None:
    """The condition is over; nothing where it was never told."""
    gone = delete(alarms).where(alarms.c.key == notice.key).returning(alarms.c.since)
    since = connection.execute(gone).scalar()
    if since is not None:
        _put(connection, now, replace(notice, since=instant(since)), routes)


def _put(connection: Connection, now: datetime, notice: Notice, routes: Routes) -> None:
    """One row per channel. A notice that is there already (the same publish, known in two ways) stays one."""
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for channel in routes(notice):
        row = {"id": f"{notice.id}:{channel}", "channel": channel, "key": notice.key, "topic": notice.topic.value,
               "body": canonical(plain(notice)), "at": moment(now), "state": "waiting", "tries": 0,
               "next_at": moment(now), "owner": "", "error": ""}  # fmt: skip
        connection.execute(make(outbox).values(row).on_conflict_do_nothing())


def notice_of(body: str) -> Notice:
    """A notice as it stands in a row."""
    return build(Notice, json.loads(body))
