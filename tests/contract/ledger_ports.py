"""The implementations of ports.Ledger that the contract suite runs over.

To add one, put its maker into LEDGERS. A maker gives the port and a hand on the ledger's clock; the suite moves it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rotator.adapters.sql import schema
from rotator.adapters.sql.audit import Context
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.domain.event import Event
from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.words import Outcome, Phase, Trigger
from rotator.ports import Lease, Ledger, Opening
from tests.model.ports import MemoryLedger
from tests.model.world import World
from tests.servers.postgres import RealPostgres

CONSUMER = Consumer("00DEX0000000001AAA", "0xIEX00000000014AA", "888EX0000000002AAA", "Billing_Sync", "Billing Sync", 1)
TARGET = Target("salesforce/acme/billing", "client_id", "client_secret", "https://acme.my.salesforce.com", "billing")
WHO = Who("alice", "socket", "quarterly", "CHG-1", "bob", break_glass=True)
START = datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)
CONTEXT = Context("host-1", "0.1.0", "c0ffee")


class RealClock:
    """Paces the retries of a database under test."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def jitter(self) -> float:
        return 0.5


class MovedTime:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Bench:
    """One ledger, ready, and its clock."""

    ledger: Ledger
    now: Callable[[], datetime]
    advance: Callable[[float], None]


def opening(trigger: Trigger = Trigger.MANUAL, old: str = "key0", **other: object) -> Opening:
    """A request for a rotation of the one app of these tests."""
    made = Opening("billing", "acme", CONSUMER, TARGET, Policy(), WHO, trigger, (old,), 7)
    return replace(made, **other)  # type: ignore[arg-type] # names of its fields


def intent(step: str) -> Event:
    """The row before a change outside."""
    return Event(step, Phase.INTENT)


def outcome(step: str, what: Outcome = Outcome.OK) -> Event:
    """The row after it."""
    return Event(step, Phase.OUTCOME, what)


def open_database(url: str, now: Callable[[], datetime] | None = None, patience: float = 10.0) -> Database:
    """The database behind a URL, as the product opens it."""
    return Database(url, clock=RealClock(), now=now, patience=patience)


def fill(url: str) -> None:
    """Makes the tables in an empty database."""
    database = open_database(url)
    schema.prepare(database)
    database.close()


def fresh_url(kind: str, request: pytest.FixtureRequest) -> str:
    """The URL of a database of the test's own that has the tables."""
    if kind == "postgres":
        server: RealPostgres = request.getfixturevalue("real_postgres")
        url = server.clone("ledger", fill)
        request.addfinalizer(lambda: server.drop(url))
        return url
    folder: Path = request.getfixturevalue("tmp_path")
    url = f"sqlite:///{folder}/rotator.db"
    fill(url)
    return url


def sql_bench(kind: str, request: pytest.FixtureRequest) -> Bench:
    """The real ledger on a real database, with a clock that the test moves."""
    moved = MovedTime()
    database = open_database(fresh_url(kind, request), moved)
    request.addfinalizer(database.close)
    return Bench(SqlLedger(database, CONTEXT), moved, moved.advance)


def memory_bench(request: pytest.FixtureRequest) -> Bench:
    """The ledger of the model's world."""
    world = World()
    return Bench(MemoryLedger(world), lambda: world.now, lambda seconds: world.advance(timedelta(seconds=seconds)))


LEDGERS: Mapping[str, Callable[[pytest.FixtureRequest], Bench]] = {
    "memory": memory_bench,
    "sqlite": lambda request: sql_bench("sqlite", request),
    "postgres": lambda request: sql_bench("postgres", request),
}
NEEDS = {"postgres": [pytest.mark.needs("postgres")]}
KINDS = [pytest.param(name, marks=NEEDS.get(name, [])) for name in ("sqlite", "postgres")]
BENCHES = [pytest.param(name, marks=NEEDS.get(name, [])) for name in LEDGERS]


def claim(ledger: Ledger, owner: str = "worker-1", seconds: float = 30) -> Lease:
    """The lease of the one consumer, which must be free."""
    lease = ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, owner, seconds)
    assert lease is not None
    return lease


def row_of(ledger: Ledger) -> Rotation:
    """Its rotation, as a read gives it."""
    found = ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).rotation
    assert found is not None
    return found
