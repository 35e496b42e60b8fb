"""The lease on a consumer: one row, an owner, an epoch, and the database's clock (protocol invariant 8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rotator.adapters.sql.database import instant, moment
from rotator.adapters.sql.tables import consumers
from rotator.domain.errors import Stale
from rotator.ports import Lease

NEW = {
    "owner": "",
    "epoch": 0,
    "lease_ms": 0,
    "rotation_id": "",
    "open_intents": "[]",
    "publish_cas": -1,
    "escrow_cas": -1,
}


def find(connection: Connection, org_id: str, consumer_id: str) -> Row[Any] | None:
    """The consumer's row, unlocked."""
    return connection.execute(select(consumers).where(_named(org_id, consumer_id))).first()


def lock(connection: Connection, org_id: str, consumer_id: str) -> Row[Any] | None:
    """The consumer's row, locked until the transaction ends. Locked before the head of the chain, never after it."""
    return connection.execute(select(consumers).where(_named(org_id, consumer_id)).with_for_update()).first()


def hold(connection: Connection, lease: Lease) -> Row[Any]:
    """The consumer's locked row. Raises Stale where its lease is another one than ours."""
    row = lock(connection, lease.org_id, lease.consumer_id)
    if row is None or (row.owner, row.epoch) != (lease.owner, lease.epoch):
        raise Stale(f"the lease on consumer {lease.consumer_id} has gone to another worker")
    return row


def ensure(connection: Connection, org_id: str, consumer_id: str) -> Row[Any]:
    """The consumer's locked row, made where it was not there; two makers at once make one."""
    values = {"org_id": org_id, "consumer_id": consumer_id, **NEW}
    row = lock(connection, org_id, consumer_id)
    if row is None:
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(make(consumers).values(values).on_conflict_do_nothing())
        row = lock(connection, org_id, consumer_id)
    if row is None:
        raise Stale(f"consumer {consumer_id} cannot be claimed")
    return row


def take(connection: Connection, row: Row[Any], owner: str, seconds: float, now: datetime, *,
         seize: bool = False) -> Lease | None:
    """A new epoch for this owner; None where another's lease still runs, unless we `seize` it. `row` is locked."""
    if not seize and row.owner not in ("", owner) and instant(row.lease_until) > now:
        return None
    lease = Lease(row.org_id, row.consumer_id, owner, row.epoch + 1)
    change(connection, row, owner=owner, epoch=lease.epoch, **until(now, seconds))
    return lease


def until(now: datetime, seconds: float) -> dict[str, Any]:
    """The columns of a lease that runs for so long from now."""
    return {"lease_until": moment(now + timedelta(seconds=seconds)), "lease_ms": round(seconds * 1000)}


def longer(row: Row[Any], now: datetime) -> dict[str, Any]:
    """The columns of a lease that a commit extends: by its own length, and never back."""
    end = now + timedelta(milliseconds=row.lease_ms)
    return {"lease_until": max(row.lease_until or "", moment(end))}


def change(connection: Connection, row: Row[Any], **values: object) -> None:
    """Updates the consumer's locked row."""
    connection.execute(update(consumers).where(_named(row.org_id, row.consumer_id)).values(**values))


def _named(org_id: str, consumer_id: str) -> ColumnElement[bool]:
    return (consumers.c.org_id == org_id) & (consumers.c.consumer_id == consumer_id)
