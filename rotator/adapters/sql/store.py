"""Reads and changes the row of a rotation under its conditions; runs inside the ledger's transactions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from rotator.adapters.sql import leases
from rotator.adapters.sql.rows import from_row, to_row
from rotator.adapters.sql.tables import rotations
from rotator.domain.changes import Changes
from rotator.domain.errors import NotFound, Superseded
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation
from rotator.domain.words import ENDED, Goal, Phase


def get(connection: Connection, rotation_id: str) -> Rotation | None:
    """The rotation of this id; None where there is none."""
    row = connection.execute(select(rotations).where(rotations.c.id == rotation_id)).first()
    return None if row is None else from_row(row._mapping)


def must(connection: Connection, rotation_id: str) -> Rotation:
    """The rotation of this id. Raises NotFound."""
    rotation = get(connection, rotation_id)
    if rotation is None:
        raise NotFound(f"there is no rotation {rotation_id}", fix="see `rotator history`")
    return rotation


def locked(connection: Connection, rotation_id: str) -> Rotation:
    """The same, with its consumer locked, for a change without the lease. Raises NotFound."""
    consumer = must(connection, rotation_id).consumer
    leases.lock(connection, consumer.org_id, consumer.consumer_id)
    return must(connection, rotation_id)


def current(connection: Connection, row: Row[Any], seen: Rotation, event: Event, changes: Changes) -> Rotation:
    """The present row of the rotation that was seen. Raises Superseded where a force, or (for an intent) an abandon,
    was committed since the look."""
    if row.rotation_id != seen.id:
        raise Superseded(f"rotation {seen.id} was superseded by {row.rotation_id}")
    now = must(connection, seen.id)
    if event.phase is Phase.INTENT and now.goal is not seen.goal:
        raise Superseded(f"the goal of rotation {seen.id} is {now.goal} by now")
    if changes.get("promoting") is True and now.goal is Goal.ABANDON:
        raise Superseded(f"rotation {seen.id} is being abandoned: nothing is promoted")
    return now


def with_end(before: Rotation, changes: Changes, now: datetime) -> Changes:
    """The changes, with the time of the end where they end the rotation."""
    ends = changes.get("state", before.state) in ENDED and before.ended_at is None
    if not ends or changes.get("ended_at") is not None:
        return changes
    dated: Changes = {**changes, "ended_at": now}
    return dated


def save(connection: Connection, before: Rotation, changes: Changes, *conditions: ColumnElement[bool]) -> Rotation:
    """Writes the changes and gives the new row. Raises Superseded where a condition does not hold any more."""
    after = replace(before, **changes)
    was = to_row(before)
    moved = {name: value for name, value in to_row(after).items() if value != was[name]}
    if moved:
        done = connection.execute(update(rotations).where(rotations.c.id == before.id, *conditions).values(moved))
        if done.rowcount != 1:
            raise Superseded(f"rotation {before.id} was changed by somebody else")
    return after


def intents(row: Row[Any], event: Event) -> list[str]:
    """The open intents after this event: an intent is one more, an outcome closes all."""
    if event.phase is Phase.OUTCOME:
        return []
    still = list(json.loads(row.open_intents))
    return [*still, event.step] if event.phase is Phase.INTENT else still
