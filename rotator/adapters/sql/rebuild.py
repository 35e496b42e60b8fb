"""State from the trail: `rotations`, what the consumers' leases know of them, and what stands beside them.

Each row that changed a rotation carries the change (`evidence.set`); laid over each other they are the rotation.
Pauses, legal holds, pins and facts: see beside.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from rotator.adapters.sql import adoptions, leases
from rotator.adapters.sql.audit import Context, Subject, append, history
from rotator.adapters.sql.beside import Beside, differences, put_right
from rotator.adapters.sql.database import Database, moment
from rotator.adapters.sql.plain import build
from rotator.adapters.sql.rows import to_row
from rotator.adapters.sql.tables import audit_head, consumers, rotations
from rotator.domain.errors import LeaseTaken
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase

Key = tuple[str, str]
NAMED = 50  # ids that the row in the trail names


@dataclass(slots=True)
class Known:
    """What a consumer's row knows beside its lease."""

    rotation_id: str = ""
    open_intents: list[str] = field(default_factory=list)
    publish_cas: int = -1
    escrow_cas: int = -1

    def columns(self) -> dict[str, Any]:
        """As they stand in the table."""
        return {"rotation_id": self.rotation_id, "open_intents": json.dumps(self.open_intents),
                "publish_cas": self.publish_cas, "escrow_cas": self.escrow_cas}  # fmt: skip


@dataclass(slots=True)
class Replayed:
    """The state that the trail tells, up to row `seq`. `headless`: rotations whose opening is not there any more."""

    seq: int = 0
    rotations: dict[str, Rotation] = field(default_factory=dict)
    consumers: dict[Key, Known] = field(default_factory=dict)
    headless: set[str] = field(default_factory=set)
    beside: Beside = field(default_factory=Beside)
    begins: str = ""  # the time of the oldest row, where older ones were pruned


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found, and put right unless it was only to look."""

    rows: int
    rotations: int
    changed: tuple[str, ...]  # missing, or other than the trail says
    removed: tuple[str, ...]  # the trail knows nothing of them
    headless: tuple[str, ...]  # left as they are
    beside: tuple[str, ...] = ()  # table and key of what else was other than the trail says


def replay(rows: Iterable[Mapping[str, Any]]) -> Replayed:
    """The state after these rows (as `history` gives them, ascending)."""
    told, found = dict[str, dict[str, Any]](), Replayed()
    for row in rows:
        found.begins = row["ts"] if not found.seq and row["seq"] > 1 else found.begins
        found.seq = row["seq"]
        changes = row["evidence"].get("set")
        found.beside.lay(row)
        if row["step"] == adoptions.STEP:
            _adopted(found, row)
        elif changes is not None and row["rotation_id"]:
            _lay(told, found, row, changes)
    found.headless = {id_ for id_, values in told.items() if "consumer" not in values}
    found.rotations = {id_: build(Rotation, values) for id_, values in told.items() if id_ not in found.headless}
    return found


def _lay(told: dict[str, dict[str, Any]], found: Replayed, row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    values = told.setdefault(row["rotation_id"], {})
    opens = "consumer" in changes
    values |= changes
    if "consumer" not in values:
        return
    key = (values["consumer"]["org_id"], values["consumer"]["consumer_id"])
    found.beside.learned(key[0], row)
    known = found.consumers.setdefault(key, Known())
    known.rotation_id = row["rotation_id"] if opens else known.rotation_id
    if row["phase"] == Phase.INTENT:
        known.open_intents.append(row["step"])
    elif row["phase"] == Phase.OUTCOME:
        known.open_intents.clear()
    known.publish_cas = row["evidence"].get("publish_cas", known.publish_cas)
    known.escrow_cas = row["evidence"].get("escrow_cas", known.escrow_cas)


def _adopted(found: Replayed, row: Mapping[str, Any]) -> None:
    """An adoption belongs to no rotation, but its write may land late like any other."""
    named = row["evidence"]["consumer"]
    known = found.consumers.setdefault((named["org_id"], named["consumer_id"]), Known())
    known.open_intents = adoptions.open_after(known.open_intents, Phase(row["phase"]))
    known.publish_cas = row["evidence"].get("publish_cas", known.publish_cas)


def rebuild(database: Database, context: Context, who: Who, *, dry_run: bool = False) -> Rebuilt:
    """Makes the tables what the trail says, in one transaction, with a row in the trail where anything differed.

    Raises LeaseTaken where somebody is at work.
    """
    found = replay(history(database))
    event = Event("check", Phase.DECISION, Outcome.OK)

    def work(connection: Connection) -> Rebuilt:
        _alone(connection, database, found)
        other = differences(connection, found.beside, moment(database.now(connection)), cut=bool(found.begins))
        done = replace(_compared(connection, found), beside=tuple(sorted(map(str, other))))
        if not dry_run and (done.changed or done.removed or done.beside or _stale(connection, found)):
            _write(connection, found, done)
            put_right(connection, other)
            evidence = {"rebuilt": len(done.changed), "changed": done.changed[:NAMED], "removed": done.removed[:NAMED],
                        "beside": done.beside[:NAMED]}  # fmt: skip
            spoken = Event(event.step, event.phase, event.outcome, evidence=evidence, id=event.id)
            append(connection, database.now(connection), context, who, Subject(), spoken)
        return done

    return database.write(work)


def _alone(connection: Connection, database: Database, found: Replayed) -> None:
    """Nobody may hold a lease, and no row may have come since the reading."""
    now = moment(database.now(connection))
    running = select(consumers.c.owner).where(consumers.c.owner != "", consumers.c.lease_until > now).limit(1)
    owner = connection.execute(running).scalar()
    seq = connection.execute(select(audit_head.c.seq).with_for_update()).scalar()
    if owner is not None or seq != found.seq:
        raise LeaseTaken(f"{owner or 'another rotator'} is at work: state is rebuilt while nobody is",
                         fix="stop the daemon, wait one lease, then `rotator db rebuild`")  # fmt: skip


def _compared(connection: Connection, found: Replayed) -> Rebuilt:
    live = {row.id: dict(row._mapping) for row in connection.execute(select(rotations))}
    wanted = {id_: to_row(rotation) for id_, rotation in found.rotations.items()}
    changed = tuple(sorted(id_ for id_, row in wanted.items() if live.get(id_) != row))
    # All rows of a rotation may have been pruned: it stays, as one whose opening is gone.
    pruned = {id_ for id_, row in live.items() if (row["started_at"] or "") < found.begins} - wanted.keys()
    headless = found.headless | pruned
    removed = tuple(sorted(live.keys() - wanted.keys() - headless))
    return Rebuilt(found.seq, len(wanted), changed, removed, tuple(sorted(headless)))


def _stale(connection: Connection, found: Replayed) -> bool:
    """Whether a consumer's row knows something else than the trail."""
    names = Known().columns()
    live = {(row.org_id, row.consumer_id): {name: row._mapping[name] for name in names}
            for row in connection.execute(select(consumers))}  # fmt: skip
    told = {key: _told(known, found) for key, known in _consumers(connection, found).items()}
    return any(key not in live or live[key] != {**live[key], **columns} for key, columns in told.items())


def _told(known: Known, found: Replayed) -> dict[str, Any]:
    """What the trail says of a consumer; a pruned one says nothing of a write before it."""
    unknown = {name for name in ("publish_cas", "escrow_cas") if found.begins and getattr(known, name) == -1}
    return {name: value for name, value in known.columns().items() if name not in unknown}


def _consumers(connection: Connection, found: Replayed) -> dict[Key, Known]:
    """All of them: one that the trail does not name knows nothing, unless rows of its may have been cut off."""
    there = connection.execute(select(consumers.c.org_id, consumers.c.consumer_id))
    cut = found.headless or found.begins
    unnamed = {} if cut else {(org_id, consumer_id): Known() for org_id, consumer_id in there}
    return {**unnamed, **found.consumers}


def _write(connection: Connection, found: Replayed, done: Rebuilt) -> None:
    for (org_id, consumer_id), known in _consumers(connection, found).items():
        row = leases.ensure(connection, org_id, consumer_id)
        # A new epoch: whoever worked on what stood here before is stale.
        leases.change(connection, row, **_told(known, found), owner="", lease_until=None, epoch=row.epoch + 1)
    if done.removed:
        connection.execute(delete(rotations).where(rotations.c.id.in_(done.removed)))
    # What has ended comes first: no consumer may ever show two that are open.
    for id_ in sorted(done.changed, key=lambda id_: not found.rotations[id_].ended):
        row_ = to_row(found.rotations[id_])
        if connection.execute(update(rotations).where(rotations.c.id == id_).values(row_)).rowcount == 0:
            connection.execute(insert(rotations), row_)
