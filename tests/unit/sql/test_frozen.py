"""A process that is frozen inside a transaction holds the locks of it."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Connection

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.pauses import Pauses
from rotator.adapters.sql.tables import audit_head
from rotator.domain.pause import Scope
from rotator.domain.rotation import Who
from tests.contract.ledger_ports import CONTEXT, RealClock
from tests.unit.sql.support import trail_of


@pytest.mark.needs("postgres")
@pytest.mark.parametrize("url", ["postgres"], indirect=True)
def test_a_transaction_that_stands_still_locks_nobody_out(url: str) -> None:
    """PostgreSQL ends it after half of the patience: another process appends to the trail meanwhile, and the frozen one
    runs its transaction again when it wakes. (Without the server's limit the second writer gave up after its patience:
    one frozen daemon stopped all others.)"""
    frozen, other = (Database(url, clock=RealClock(), patience=2) for _ in range(2))
    runs, locked = [], threading.Event()

    def work(connection: Connection) -> None:
        connection.execute(audit_head.select().with_for_update()).one()
        runs.append(locked.is_set())
        if not locked.is_set():
            locked.set()
            time.sleep(1.6)

    thread = threading.Thread(target=frozen.write, args=(work,))
    thread.start()
    assert locked.wait(5)
    Pauses(other, CONTEXT).begin(Scope.ALL, "", "", Who("ann"))
    thread.join(10)
    assert runs == [False, True]
    assert [row["step"] for row in trail_of(other).history()] == ["pause"]
    frozen.close()
    other.close()
