"""Random tampering by somebody who owns the database, knows how hashes are made and sets the head right: all found.

Each is done inside a transaction of the tamperer, verified there, and taken back. The anchors are kept elsewhere; the
last row is anchored, as after a force.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from sqlalchemy import Connection, create_engine, delete, insert, select, update
from sqlalchemy.pool import NullPool

from rotator.adapters.sql.audit import COLUMNS
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.tables import audit_events, audit_head
from rotator.adapters.sql.verify import VerifyResult, verify
from rotator.domain.chain import GENESIS, row_hash
from rotator.domain.event import Event
from rotator.domain.words import Outcome, Phase
from tests.contract.ledger_ports import WHO
from tests.unit.sql.support import trail_of

ROWS, ANCHORED = 30, (9, 20, 30)
NUMBERS = ("break_glass", "attempt", "http_status", "vault_version", "duration_ms")
FIXED = ("seq", "event_id", "prev_hash", "hash", "phase", "outcome")  # unique, computed, or held by a check
TEXTS = tuple(name for name in COLUMNS if name not in (*NUMBERS, *FIXED))
HOW = ("as they were", "numbers", "hash", "chain", "chain")
Row = dict[str, Any]
Rows = list[Row]


def by_seq(row: Row) -> int:
    return int(row["seq"])


class Within:
    """The database as it is inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def read(self, work: Callable[[Connection], Any]) -> Any:
        return work(self.connection)


def edited(rows: Rows, dice: random.Random) -> Rows:
    """One value of one row."""
    row = dice.choice(rows)
    if dice.random() < 0.3:
        row[dice.choice(NUMBERS)] = dice.randrange(600, 30_000)
    else:
        row[dice.choice(TEXTS)] = f"other {dice.random()}"
    return rows


def deleted(rows: Rows, dice: random.Random) -> Rows:
    """One row, or several in a row."""
    at = dice.randrange(len(rows))
    return rows[:at] + rows[at + dice.randrange(1, 4):]


def inserted(rows: Rows, dice: random.Random) -> Rows:
    """A row that never was."""
    at = dice.randrange(len(rows))
    return [*rows[:at], {**dice.choice(rows), "event_id": f"new-{dice.random()}"}, *rows[at:]]


def swapped(rows: Rows, dice: random.Random) -> Rows:
    """Two rows change places."""
    one, other = dice.sample(range(len(rows)), 2)
    rows[one], rows[other] = rows[other], rows[one]
    return rows


def truncated(rows: Rows, dice: random.Random) -> Rows:
    """The end is gone; sometimes all of it."""
    return rows[: dice.randrange(len(rows))]


def replaced(rows: Rows, dice: random.Random) -> Rows:
    """Another trail as a whole: as long, longer, shorter, or like the old one up to somewhere."""
    kept = rows[: dice.choice([0, dice.randrange(len(rows))])]
    more = range(dice.randrange(len(rows) - len(kept) + 10))
    return kept + [{**dice.choice(rows), "event_id": f"other-{n}", "reason": f"never {dice.random()}"} for n in more]


KINDS_OF = (edited, deleted, inserted, swapped, truncated, replaced)


def numbered(rows: Rows, how: str) -> Rows:
    """What he does about numbers and hashes: nothing, the numbers, each row's own hash, or the whole chain."""
    previous, unique = GENESIS, len({row["seq"] for row in rows}) == len(rows)
    for number, row in enumerate(rows, 1):
        row["seq"] = row["seq"] if how == "as they were" and unique else number
        if how == "chain":
            row["prev_hash"] = previous
        if how in ("hash", "chain"):
            row["hash"] = row_hash(row)
        previous = row["hash"]
    return rows


@contextmanager
def owned(url: str) -> Iterator[Connection]:
    """A connection of the owner inside a transaction, with no trigger left and the key of the table gone."""
    engine = create_engine(url, poolclass=NullPool)
    on = " ON audit_events" if url.startswith("postgresql") else ""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN" if not on else "SELECT 1")
        for name in ("no_update", "no_delete", "no_truncate", "chain"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS audit_events_{name}{on}")
        yield connection
        connection.rollback()
    engine.dispose()


def grown(database: Database) -> dict[int, list[str]]:
    """A trail, and its anchors."""
    for number in range(ROWS):
        event = Event("check", Phase.OBSERVE, Outcome.OK, error="none", evidence={"number": number})
        trail_of(database).record(event, WHO, org="acme", app="billing")
    hashes = {row["seq"]: row["hash"] for row in trail_of(database).history()}
    return {seq: [hashes[seq]] for seq in ANCHORED}


def play(database: Database, url: str, times: int, *, anchors: bool = True) -> Counter[str]:
    """So many tamperings; gives how many of each kind, as `kind: how`, were not found."""
    known, dice, missed = grown(database), random.Random(7), Counter[str]()
    with owned(url) as connection:
        ordered = connection.execute(select(audit_events).order_by(audit_events.c.seq))
        honest = [dict(zip(COLUMNS, row, strict=True)) for row in ordered]
        for number in range(times):
            act, how = KINDS_OF[number % len(KINDS_OF)], dice.choice(HOW)
            rows = numbered(act([dict(row) for row in honest], dice), how)
            found = tampered(connection, rows, known if anchors else {})
            missed[f"{act.__name__}: {how}"] += found.ok and sorted(rows, key=by_seq) != honest
    return +missed


def tampered(connection: Connection, rows: Rows, known: dict[int, list[str]]) -> VerifyResult:
    """The rows in place of the trail, with the head that fits them, verified, and taken back."""
    last = {"seq": rows[-1]["seq"], "hash": rows[-1]["hash"]} if rows else {"seq": 0, "hash": GENESIS}
    with connection.begin_nested() as point:
        connection.execute(delete(audit_events))
        if rows:
            connection.execute(insert(audit_events), rows)
        connection.execute(update(audit_head).values(**last))
        found = verify(cast(Database, Within(connection)), anchors=known)
        point.rollback()
    return found


def test_random_tampering_is_found(database: Database, url: str) -> None:
    """A sample of each kind: edits, deletions, insertions, swaps, truncations, replaced trails."""
    assert play(database, url, 120) == {}


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_a_thousand_random_tamperings_are_found(database: Database, url: str) -> None:
    """On each database."""
    assert play(database, url, 1000) == {}


def test_without_anchors_a_new_chain_would_not_be_found(database: Database, url: str) -> None:
    """The test above would see what is missed: a chain made anew is whole; only the anchors tell."""
    missed = play(database, url, 120, anchors=False)
    assert {name.split(": ")[1] for name in missed} >= {"chain"}
    assert {"edited: chain", "deleted: chain", "inserted: chain", "replaced: chain"} <= set(missed)
    assert any(name.startswith("truncated") for name in missed)
