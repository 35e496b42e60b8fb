"""What the tests of the database share: ledgers, statements by a stranger, writer processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from rotator.adapters.sql.audit import Trail
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.domain.rotation import Rotation
from rotator.ports import Lease
from tests.contract.ledger_ports import CONSUMER, CONTEXT, opening

ROOT = Path(__file__).parents[3]


def started(database: Database) -> tuple[SqlLedger, Lease, Rotation]:
    """A ledger with the lease and an open rotation."""
    ledger = SqlLedger(database, CONTEXT)
    lease = ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-1", 30)
    assert lease is not None
    return ledger, lease, ledger.open(lease, opening())


def trail_of(database: Database) -> Trail:
    return Trail(database, CONTEXT)


def raw(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Runs statements as somebody else would who has the rights of the owner; gives the rows of the last."""
    engine = create_engine(url, poolclass=NullPool)
    rows: list[tuple[Any, ...]] = []
    try:
        with engine.begin() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
                rows = [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()
    return rows


def unprotected(url: str, *statements: str) -> None:
    """The same after the triggers are gone: what an attacker with the owner's rights can do."""
    names = ("audit_events_no_update", "audit_events_no_delete", "audit_events_no_truncate", "audit_events_chain")
    on = " ON audit_events" if url.startswith("postgresql") else ""
    raw(url, *(f"DROP TRIGGER IF EXISTS {name}{on}" for name in names), *statements)


@contextmanager
def writers(url: str, count: int, rows: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that each append rows to the trail and print the seq of each row once it is acknowledged."""
    command = [sys.executable, "-m", "tests.unit.sql.writer", url, str(rows)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
