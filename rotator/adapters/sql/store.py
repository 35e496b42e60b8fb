"""Reads and changes the row of a rotation under its conditions; runs inside the ledger's transactions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from rotator.adapters.sql import leases
from rotator.adapters.sql.rows import from_row, to_row
from rotator.adapters.sql.tables import rotations
from rotator.domain.errors import NotFound, Refused, Superseded
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation
from rotator.domain.words import ENDED, Goal, Phase, State

Changes = Mapping[str, object]


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
    return {**changes, "ended_at": now} if ends and changes.get("ended_at") is None else changes


def save(connection: Connection, before: Rotation, changes: Changes, *conditions: ColumnElement[bool]) -> Rotation:
    """Writes the changes and gives the new row. Raises Superseded where a condition does not hold any more."""
    after = replace(before, **changes)  # type: ignore[arg-type] # the names were checked, the values are the saga's
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


def abandoning(before: Rotation, *, now: bool) -> dict[str, object]:
    """The changes of an operator's abandon; a held or parked rotation wakes up. Raises Refused where it is too late."""
    if before.ended:
        raise Refused(f"the rotation of {before.app} has ended: {before.state}", fix="nothing to do")
    if before.force:
        raise Refused(
            "a forced rotation is not abandoned: the old pair is taken for known to others",
            fix="let it go on; `rotator release APP` where it is held",
        )
    if before.promoting:
        raise Refused(
            "too late to abandon: the new pair is being promoted, the way back would be an outage",
            fix="let it finish, then rotate again",
        )
    told: dict[str, object] = {"goal": Goal.ABANDON, "abandon_now": before.abandon_now or now}
    if before.state in (State.HELD, State.WAITING, State.OVERLAP):
        told |= {"state": State.RUNNING, "next_at": None, "reason": "", "message": "", "fix": ""}
    return told


def releasing(before: Rotation, discard_foreign: str) -> dict[str, object]:
    """The changes of a release: fresh budgets of retries, discards and logins. Raises Refused where it is not held."""
    if before.state is not State.HELD:
        raise Refused(f"{before.app} is not held: it is {before.state}", fix="see `rotator status`")
    return {
        "state": State.RUNNING,
        "released": True,
        "discard_foreign": discard_foreign,
        **dict.fromkeys(("reason", "message", "fix"), ""),
        "next_at": None,
        **dict.fromkeys(("tries", "refused_calls", "discards", "logins"), 0),
    }
