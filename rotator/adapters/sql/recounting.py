"""What reports ask of rotations and trail: forces, holds, and how often what happened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.rows import from_row
from rotator.adapters.sql.tables import audit_events, rotations
from rotator.domain.rotation import Rotation
from rotator.domain.words import Outcome, State, Trigger


@dataclass(frozen=True, slots=True)
class Held:
    """One hold of a rotation; `end` None: it still holds. `ended_by` is the step and the actor that ended it."""

    rotation_id: str
    app: str
    org: str
    since: datetime
    why: str
    code: str
    end: datetime | None = None
    ended_by: str = ""
    actor: str = ""
    became: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows of this step, phase and outcome there are, and when the newest was written."""

    step: str
    phase: str
    outcome: str
    rows: int
    newest: datetime


def forced(database: Database, since: datetime | None, org: str) -> list[Rotation]:
    """Forced rotations begun since then, oldest first."""
    where = [rotations.c.trigger == Trigger.FORCE.value]
    return _rotations(database, [*where, *_since(since, org)])


def ended(database: Database, since: datetime | None, org: str) -> list[Rotation]:
    """Rotations that ended `done`, begun since then."""
    return _rotations(database, [rotations.c.state == State.DONE.value, *_since(since, org)])


def _since(since: datetime | None, org: str) -> list[ColumnElement[bool]]:
    begun = [rotations.c.started_at >= moment(since)] if since else []
    return begun + ([rotations.c.org == org] if org else [])


def _rotations(database: Database, where: Sequence[ColumnElement[bool]]) -> list[Rotation]:
    chosen = select(rotations).where(*where).order_by(rotations.c.started_at, rotations.c.id)
    return database.read(lambda connection: [from_row(row._mapping) for row in connection.execute(chosen)])


def holds(database: Database, since: datetime | None, org: str) -> list[Held]:
    """Holds that began since then, oldest first, each with how it ended, by the state that the trail says was set."""
    held = select(audit_events.c.rotation_id).where(audit_events.c.outcome == Outcome.HELD.value)
    names = ("seq", "ts", "rotation_id", "app", "org", "step", "actor", "error", "evidence")
    chosen = select(*(audit_events.c[name] for name in names)).where(audit_events.c.rotation_id.in_(held))
    chosen = chosen.where(audit_events.c.org == org) if org else chosen
    rows = database.read(lambda connection: _all(connection, chosen.order_by(audit_events.c.seq)))
    return [one for one in _holds(rows) if since is None or one.since >= since]


def _holds(rows: Iterable[Mapping[str, Any]]) -> list[Held]:
    done: list[Held] = []
    open_: dict[str, Held] = {}
    for row in rows:
        evidence = json.loads(row["evidence"])
        state = (evidence.get("set") or {}).get("state")
        here = open_.get(row["rotation_id"])
        if state == State.HELD and here is None:
            code = (evidence.get("set") or {}).get("reason") or evidence.get("code") or ""
            open_[row["rotation_id"]] = Held(row["rotation_id"], row["app"] or "", row["org"] or "",
                                             instant(row["ts"]), row["error"] or "", str(code))  # fmt: skip
        elif state not in (None, State.HELD) and here is not None:
            done.append(_over(open_.pop(row["rotation_id"]), row, str(state)))
    return sorted([*done, *open_.values()], key=lambda one: one.since)


def _over(one: Held, row: Mapping[str, Any], became: str) -> Held:
    return Held(one.rotation_id, one.app, one.org, one.since, one.why, one.code, instant(row["ts"]), row["step"],
                row["actor"], became)  # fmt: skip


def counts(database: Database, since: datetime | None, org: str) -> list[Counted]:
    """Rows of the trail since then by step, phase and outcome."""
    by = (audit_events.c.step, audit_events.c.phase, audit_events.c.outcome)
    chosen = select(*by, func.count(), func.max(audit_events.c.ts)).group_by(*by)
    chosen = chosen.where(audit_events.c.ts >= moment(since)) if since else chosen
    chosen = chosen.where(audit_events.c.org == org) if org else chosen
    found = database.read(lambda connection: [tuple(row) for row in connection.execute(chosen)])
    return [Counted(step, phase, outcome or "", rows, instant(newest)) for step, phase, outcome, rows, newest in found]


def steps_of(database: Database, step: str) -> list[Mapping[str, Any]]:
    """Rows of this step that belong to a rotation: who wrote them and when."""
    mine = (audit_events.c.step == step, audit_events.c.rotation_id.is_not(None))
    chosen = select(audit_events.c.rotation_id, audit_events.c.ts, audit_events.c.actor).where(*mine)
    return database.read(lambda connection: _all(connection, chosen))


def oldest(database: Database) -> datetime | None:
    """When the oldest row was written; None where there is none."""
    chosen = select(audit_events.c.ts).order_by(audit_events.c.seq).limit(1)
    found = database.read(lambda connection: connection.execute(chosen).scalar())
    return instant(found) if found else None


def incomplete(database: Database) -> int:
    """Rows without one of the elements that PCI DSS 10.2.2 asks for: who, what, when, result, origin, about what."""
    empty = (audit_events.c.actor == "") | (audit_events.c.step == "") | (audit_events.c.ts == "")
    return database.read(lambda connection: int(
        connection.execute(select(func.count()).select_from(audit_events).where(empty)).scalar() or 0))  # fmt: skip


def _all(connection: Connection, chosen: Any) -> list[Mapping[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(chosen)]
