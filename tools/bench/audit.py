"""The audit trail: how long a row takes to be durable, and how long it takes to verify many."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rotator.adapters.sql import schema
from rotator.adapters.sql.audit import Context, Trail
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.tables import audit_events, audit_head
from rotator.domain.chain import row_hash
from rotator.domain.event import Event
from rotator.domain.ids import sortable_id
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase
from rotator.process import Stop, SystemClock
from tests.servers.postgres import running_postgres
from tests.servers.suites import Found, find_postgres
from tools.bench.process import python, run

Json = dict[str, Any]
ROWS_OF_ONE_ROTATION = 28
AT_ONCE = 5_000
WHO = Who(actor="bench", origin="cli")


def audit(inserts: int, rows: int) -> Json:
    """Both databases: `inserts` rows one by one, then a chain of `rows` rows verified by a new process."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        found: Json = {"sqlite": measured(f"sqlite:///{folder / 'audit.db'}", inserts, rows, folder)}
        found["sqlite"]["durability"] = "WAL, synchronous FULL"
        server = find_postgres(os.environ)
        if not isinstance(server, Found):
            return {**found, "postgresql": {"left_out": server.why}}
        url, kept = stack.enter_context(durable_postgres(server.place))
        found["postgresql"] = {**measured(url, inserts, rows, folder), "durability": kept}
        return found


@contextmanager
def durable_postgres(place: str) -> Iterator[tuple[str, str]]:
    """An empty database on a server that keeps what it committed (the tests' own server does not). Gives its URL, and
    in words what it keeps."""
    with running_postgres(place) as server:
        url = server.database()
        if "://" not in place:
            server.execute(url, "ALTER SYSTEM SET fsync = on")
            server.execute(url, "SELECT pg_reload_conf()")
            time.sleep(1.0)  # every backend takes it up by itself
        ((fsync,),) = server.execute(url, "SHOW fsync")
        ((commit,),) = server.execute(url, "SHOW synchronous_commit")
        yield url, f"fsync {fsync}, synchronous_commit {commit}"


def measured(url: str, inserts: int, rows: int, folder: Path) -> Json:
    """The figures of one database."""
    stop = Stop()
    database = Database(url, clock=SystemClock(stop))
    try:
        schema.prepare(database)
        took = inserted(database, inserts)
        database.write(lambda connection: fill(connection, rows))
        settle(database)
    finally:
        database.close()
        stop.close()
    exported = {form: verified(url, rows, folder, "tools.bench.export", form) for form in ("jsonl", "csv", "ocsf")}
    return {"insert_ms": took, "verify": verified(url, rows, folder), "export": exported}


def inserted(database: Database, inserts: int) -> Json:
    """Rows of rotations, each in a transaction of its own that is durable when it returns. Milliseconds."""
    trail = Trail(database, Context(host="bench", version="bench", config_hash="0" * 64))
    took = []
    for number in range(inserts):
        evidence = {"cas": number, "key_fp": "0" * 16}
        intent = Event("publish", Phase.INTENT, evidence=evidence)
        event = Event("publish", Phase.OUTCOME, Outcome.OK, evidence=evidence) if number % 2 else intent
        begun = time.perf_counter()
        trail.record(event, WHO, org="acme", app="billing", rotation_id=f"bench-{number // ROWS_OF_ONE_ROTATION}")
        took.append((time.perf_counter() - begun) * 1000)
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {"rows": inserts, "p50": round(cuts[49], 2), "p99": round(cuts[98], 2), "worst": round(max(took), 2)}


def fill(connection: Connection, rows: int) -> None:
    """Lengthens the chain to so many rows at once, each like the last one: only the reading is timed."""
    row = dict(connection.execute(select(audit_events).order_by(audit_events.c.seq.desc()).limit(1)).one()._mapping)
    while row["seq"] < rows:
        batch = []
        for _ in range(min(AT_ONCE, rows - row["seq"])):
            row = following(row)
            batch.append(row)
        connection.execute(insert(audit_events), batch)
    connection.execute(update(audit_head).values(seq=row["seq"], hash=row["hash"]))


def settle(database: Database) -> None:
    """A trail that grew over years was vacuumed long ago: else the first reading would write each page once more."""
    if database.postgres:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE audit_events")


def following(row: Mapping[str, Any]) -> Json:
    """The next row of the chain."""
    after = {**row, "seq": row["seq"] + 1, "event_id": sortable_id(), "prev_hash": row["hash"]}
    return {**after, "hash": row_hash(after)}


def verified(url: str, rows: int, folder: Path, *work: str) -> Json:
    """The chain verified (or exported) by a process of its own: seconds of reading and hashing, its memory."""
    done = run(python("-m", *(work or ("tools.bench.verify",))), folder, {**os.environ, "BENCH_DATABASE": url})
    assert done.exit == 0, done.err
    seconds, seen = map(float, done.out.split())
    assert seen == rows, f"{seen} of {rows} rows"
    return {"rows": rows, "seconds": round(seconds, 2), "rows_per_s": round(rows / seconds),
            "max_rss_mb": round(done.max_rss_mb, 1)}  # fmt: skip
