"""Merges a break-glass spool into the database: rows of the trail, flagged, and the rotations that they tell of."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, insert

from rotator.adapters.sql import leases, orgs, store
from rotator.adapters.sql.audit import Context, Subject, append, seq_of
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.plain import build, plain
from rotator.adapters.sql.rows import to_row
from rotator.adapters.sql.spool import Line, Told, locked, read_lines
from rotator.adapters.sql.tables import rotations
from rotator.domain.chain import canonical
from rotator.domain.changes import Changes
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase
from rotator.saga.requests import superseded


def merge(database: Database, context: Context, file: Path) -> int:
    """Every line that is not there yet, in one transaction; then the file is set aside as `<name>.merged-<time>`.

    Gives how many rows it became. A rotation that was open in the database is superseded, as the force would have done.
    Whoever held a lease on a consumer of the spool is stale. Raises InvariantBroken for a spool that was changed,
    LedgerUnavailable where somebody works on it.
    """
    out = locked(file)
    try:
        return _merged(database, context, file)
    finally:
        os.close(out)


def _merged(database: Database, context: Context, file: Path) -> int:
    lines = read_lines(file.read_bytes())

    def work(connection: Connection) -> int:
        told, known = Told(), {line["event"]["id"] for line in lines if seq_of(connection, line["event"]["id"])}
        numbers = dict[str, dict[str, Any]]()
        for line in lines:
            if line["event"]["id"] not in known:
                _merge(connection, database.now(connection), context, line, told, numbers)
            else:  # of a merge that died before the file was set aside
                told.rotations[told.lay(line).id] = store.must(connection, line["rotation_id"])
        return len(lines) - len(known)

    count = database.write(work) if lines else 0
    file.rename(file.with_name(f"{file.name}.merged-{lines[-1]['hash'][:12] if lines else 'empty'}"))
    return count


def _merge(connection: Connection, now: datetime, context: Context, line: Line, told: Told,
           numbers: dict[str, dict[str, Any]]) -> None:  # fmt: skip
    id_, opens = line["rotation_id"], "consumer" in line["set"]
    if opens:
        numbers[id_] = _make_room(connection, now, context, line)
        line = {**line, "set": {**line["set"], **numbers[id_]}}
    before = told.rotations.get(id_)
    row = told.lay(line)
    if opens:
        connection.execute(insert(rotations), to_row(row))
    elif before is not None:
        store.save(connection, before, cast(Changes, {name: getattr(row, name) for name in line["set"]}))
    known = told.consumers[row.consumer.org_id, row.consumer.consumer_id]
    locked = leases.ensure(connection, row.consumer.org_id, row.consumer.consumer_id)
    leases.change(connection, locked, rotation_id=id_, open_intents=canonical(known.open_intents), owner="",
                  lease_until=None, epoch=locked.epoch + int(opens), publish_cas=known.publish_cas,
                  escrow_cas=known.escrow_cas)  # fmt: skip
    how = f"{line['event']['step']} of rotation {id_}"
    orgs.learn(connection, row.consumer.org_id, line.get("learned", {}), how, now)
    _tell(connection, now, context, line, row)


def _make_room(connection: Connection, now: datetime, context: Context, line: Line) -> dict[str, Any]:
    """The place of the spool's rotation among those of the database; what is open there ends."""
    new = build(Rotation, line["set"])
    row = leases.ensure(connection, new.consumer.org_id, new.consumer.consumer_id)
    last = store.get(connection, row.rotation_id)
    if last is None:
        return {"number": 1}
    if not last.ended:
        changes = superseded(now)
        after = store.save(connection, last, changes)
        event = Event("force", Phase.DECISION, Outcome.OK, evidence={"superseded_by": new.id, "set": plain(changes)})
        append(connection, now, context, new.who, Subject.of(after), event)
        return {"number": last.number + 1, "parent_id": last.id}
    return {"number": last.number + 1}


def _tell(connection: Connection, now: datetime, context: Context, line: Line, row: Rotation) -> None:
    """The row, with where it came from: when it was spooled, and the line's own hash."""
    more = {name: line[name] for name in ("publish_cas", "escrow_cas", "learned") if name in line}
    from_spool = {"line": line["n"], "at": line["at"], "hash": line["hash"]}
    said = dict(line["event"])
    said |= {"phase": Phase(said["phase"]), "outcome": Outcome(said["outcome"]) if said["outcome"] else None,
             "evidence": {**said["evidence"], **more, "set": line["set"], "spool": from_spool}}  # fmt: skip
    who = build(Who, {**line["who"], "break_glass": True})
    append(connection, now, context, who, Subject.of(row), Event(**said))
