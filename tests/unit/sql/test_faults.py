"""Databases that are busy, gone, or break at the worst moment: nothing lost, nothing done twice, no endless wait."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, make_url, select

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.tables import audit_events
from rotator.domain.errors import ConfigError, InvariantBroken, LedgerUnavailable
from rotator.domain.event import Event
from rotator.domain.words import Goal, Outcome, Phase, State, Trigger
from tests.contract.ledger_ports import (
    CONSUMER,
    CONTEXT,
    WHO,
    RealClock,
    intent,
    open_database,
    opening,
    outcome,
)
from tests.unit.sql.cutting import cutter
from tests.unit.sql.support import raw, started, trail_of, writers

postgres_only = pytest.mark.parametrize(
    "url", [pytest.param("postgres", marks=pytest.mark.needs("postgres"))], indirect=True
)


def test_concurrent_writers_keep_one_chain(database: Database, url: str) -> None:
    """Four processes append at once: no gap, no fork, no row missing, no error."""
    with writers(url, 4, 25) as running:
        said = [int(line) for process in running for line in process.communicate(timeout=60)[0].split()]
        assert [process.returncode for process in running] == [0, 0, 0, 0]
    assert sorted(said) == list(range(1, 101))
    result = trail_of(database).verify_chain()
    assert (result.ok, result.rows) == (True, 100)


def test_a_killed_writer_loses_no_acknowledged_row(database: Database, url: str) -> None:
    """SIGKILL in the midst of writing: every row that was acknowledged is there, and the chain is whole."""
    for round_number in range(3):
        with writers(url, 2, 100_000) as running:
            out = running[0].stdout
            assert out is not None
            last = max(int(out.readline()) for _ in range(20 + round_number))
            running[0].kill()
            last = max([last, *(int(line) for line in out.read().splitlines() if line.strip())])
        result = trail_of(database).verify_chain()
        assert result.ok
        assert result.rows >= last


def test_a_busy_database_is_waited_for(sqlite_url: str) -> None:
    """Another process holds the write lock for a while: the row is written after it."""
    database = open_database(sqlite_url, patience=10)
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: holder.execute("COMMIT"))
    timer.start()
    started(database)
    timer.join()
    holder.close()
    database.close()
    assert trail_of(database).verify_chain().rows == 1
    database.close()


def test_a_database_that_stays_busy_is_given_up(sqlite_url: str) -> None:
    """After the patience: LedgerUnavailable, nothing committed, exit code 75 for the user."""
    database = open_database(sqlite_url, patience=0.2)
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(LedgerUnavailable, match="locked") as caught:
        started(database)
    assert time.monotonic() - begun < 5
    assert caught.value.exit_code == 75
    holder.execute("ROLLBACK")
    holder.close()
    assert trail_of(database).verify_chain().rows == 0
    database.close()


@postgres_only
def test_a_commit_whose_answer_is_lost_happens_once(database: Database, url: str) -> None:
    """PostgreSQL committed and the connection broke: every write is repeated, and stands in the trail once."""
    with cutter(url) as way:
        through = open_database(way.url)
        ledger = SqlLedger(through, CONTEXT)

        def losing() -> None:
            through.close()
            way.cut_after = 1

        losing()
        lease = ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-1", 30)
        assert lease is not None
        losing()
        row = ledger.open(lease, opening())
        losing()
        row = ledger.commit(lease, row, intent("stage"), {"posting": True, "tries": 1})
        losing()
        row = ledger.commit(lease, row, outcome("hold", Outcome.HELD), {"state": State.HELD, "new_key": "key1"})
        losing()
        row = ledger.release(row.id, WHO)
        losing()
        row = ledger.ask_abandon(row.id, WHO)
        losing()
        trail_of(through).record(Event("check", Phase.OBSERVE, Outcome.OK), WHO)
        losing()
        force = ledger.open(lease, opening(Trigger.FORCE))
        assert (way.cuts, way.cut_after) == (8, 0)
        through.close()
    assert (row.goal, force.parent_id, force.number) == (Goal.ABANDON, row.id, 2)
    steps = [(event["step"], event["phase"]) for event in trail_of(database).history()]
    assert steps == [
        ("request", "decision"), ("stage", "intent"), ("hold", "outcome"), ("release", "decision"),
        ("abandon", "decision"), ("check", "observe"), ("force", "decision"),
        ("force", "decision"),
    ]  # fmt: skip
    assert ledger_of(database).rotations() == (force,)
    assert trail_of(database).verify_chain().ok


@postgres_only
def test_a_commit_that_never_arrived_is_repeated(database: Database, url: str) -> None:
    """The connection broke before the COMMIT: nothing happened, and the repeat does it."""
    with cutter(url) as way:
        through = open_database(way.url)
        _, lease, row = started(through)
        way.cut_before = 1
        ledger_of(through).commit(lease, row, intent("stage"), {"posting": True})
        assert way.cuts == 1
        through.close()
    assert ledger_of(database).read(CONSUMER.org_id, CONSUMER.consumer_id).unknown == ("stage",)


@postgres_only
def test_a_server_that_is_gone_is_given_up(url: str) -> None:
    """No connection within the patience: LedgerUnavailable."""
    with cutter(url) as way:
        gone = way.url
    database = open_database(gone, patience=0.3)
    with pytest.raises(LedgerUnavailable, match="does not answer"):
        ledger_of(database).rotations()
    database.close()


@postgres_only
def test_a_replica_is_no_place_to_write(database: Database, url: str) -> None:
    """A database that takes no writes is named as that, after the patience."""
    name = url.rsplit("/", 1)[1].split("?")[0]
    raw(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    reading = open_database(url, patience=0.2)
    with pytest.raises(LedgerUnavailable, match="no writes"):
        trail_of(reading).record(Event("check", Phase.OBSERVE), WHO)
    reading.close()


def test_a_repeated_commit_of_one_event_is_one_row(database: Database) -> None:
    """The caller may repeat a commit with the same event after LedgerUnavailable: it changes nothing again."""
    ledger, lease, row = started(database)
    event = intent("stage")
    first = ledger.commit(lease, row, event, {"tries": 1})
    second = ledger.commit(lease, row, event, {"tries": 2})
    assert second == first
    assert ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).unknown == ("stage",)
    assert trail_of(database).verify_chain().rows == 2


def test_no_parameter_stands_in_an_error(database: Database, url: str) -> None:
    """A foreign error carries its statement and parameters; ours carries neither, nor the foreign one as its cause."""
    ledger, lease, row = started(database)
    raw(url, "DROP TABLE org_facts")
    with pytest.raises((ConfigError, InvariantBroken)) as caught:
        ledger.commit(lease, row, outcome("verify"), {"message": "needle"}, learned={"needle": "needle"})
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert "needle" not in repr(chain)
    assert chain[1:] == [None, None]


def test_a_damaged_file_is_no_reason_to_wait(tmp_path: Path) -> None:
    """A file that is no database is a wrong setting, said at once."""
    (tmp_path / "rotator.db").write_bytes(b"something else " * 100)
    database = Database(f"sqlite:///{tmp_path}/rotator.db", clock=RealClock())
    with pytest.raises(ConfigError, match="not a SQLite database"):
        ledger_of(database).rotations()
    database.close()


def test_a_read_sees_one_snapshot(database: Database, url: str) -> None:
    """What others commit meanwhile is seen by none of a read's statements, or by all."""
    other = open_database(url)

    def look(connection: Connection) -> tuple[int, int]:
        count = select(func.count()).select_from(audit_events)
        first = int(connection.execute(count).scalar_one())
        trail_of(other).record(Event("check", Phase.OBSERVE), WHO)
        return first, int(connection.execute(count).scalar_one())

    assert database.read(look) == (0, 0)
    assert trail_of(other).verify_chain().rows == 1
    other.close()


def test_a_reader_of_sqlite_waits_for_no_writer(sqlite_url: str) -> None:
    """A reader goes on while a writer holds the lock."""
    database = open_database(sqlite_url, patience=0.2)
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert ledger_of(database).rotations() == ()
    holder.close()
    database.close()


@postgres_only
def test_a_commit_of_postgres_is_durable_whatever_its_settings(database: Database, url: str) -> None:
    """`synchronous_commit = off` as the database's default could lose an acknowledged row at a crash."""
    name = make_url(url).database
    raw(url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    fresh = open_database(url)
    shown = fresh.write(lambda connection: connection.exec_driver_sql("SHOW synchronous_commit").scalar())
    fresh.close()
    assert shown == "on"


def test_a_write_has_the_lock_before_it_reads(sqlite_url: str) -> None:
    """BEGIN IMMEDIATE: a transaction that reads first and then must wait for the lock could not go on."""
    database = open_database(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, timeout=0)

    def work(_connection: Connection) -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    database.write(work)
    other.close()
    database.close()


def ledger_of(database: Database) -> SqlLedger:
    return SqlLedger(database, CONTEXT)
