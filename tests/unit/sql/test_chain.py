"""The hash chain: what an auditor finds, and how the hash of a row is made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, update
from sqlalchemy.pool import NullPool

from rotator.adapters.sql import audit
from rotator.adapters.sql.audit import COLUMNS
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.tables import audit_events, audit_head
from rotator.adapters.sql.verify import verify
from rotator.domain.chain import GENESIS, row_hash
from rotator.domain.event import Event
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase
from tests.contract.ledger_ports import WHO
from tests.unit.sql.support import raw, started, trail_of, unprotected

SWAP = "UPDATE audit_events SET seq = {} WHERE seq = {}"
TAMPERING = {
    "an edited reason": (["UPDATE audit_events SET reason = 'harmless' WHERE seq = 3"], 3),
    "an edited outcome": (["UPDATE audit_events SET outcome = 'failed' WHERE seq = 5"], 5),
    "evidence that means the same": (["UPDATE audit_events SET evidence = ' ' || evidence WHERE seq = 4"], 4),
    "a time": (["UPDATE audit_events SET ts = '2020-01-01T00:00:00.000000Z' WHERE seq = 2"], 2),
    "null for empty": (["UPDATE audit_events SET error = '' WHERE seq = 2"], 2),
    "a hash": (["UPDATE audit_events SET hash = prev_hash WHERE seq = 6"], 6),
    "a link": (["UPDATE audit_events SET prev_hash = hash WHERE seq = 6"], 6),
    "a row taken out": (["DELETE FROM audit_events WHERE seq = 4"], 4),
    "the first row taken out": (["DELETE FROM audit_events WHERE seq = 1"], 1),
    "two rows swapped": ([SWAP.format(99, 3), SWAP.format(3, 4), SWAP.format(4, 99)], 3),
    "rows moved down after a deletion": (
        ["DELETE FROM audit_events WHERE seq = 3", *(SWAP.format(n - 1, n) for n in range(4, 9))],
        3,
    ),
    "the tail cut off": (["DELETE FROM audit_events WHERE seq > 6"], 7),
    "everything deleted": (["DELETE FROM audit_events"], 1),
    "the head forgotten": (["DELETE FROM audit_head"], 9),
}


def add_rows(database: Database, count: int) -> None:
    for number in range(count):
        event = Event("check", Phase.OBSERVE, Outcome.OK, error="none", evidence={"number": number})
        trail_of(database).record(event, WHO, org="acme", app="billing")


def test_an_untouched_chain_verifies(database: Database) -> None:
    """All rows are good; progress is told."""
    add_rows(database, 8)
    told: list[int] = []
    result = trail_of(database).verify_chain(told.append)
    assert (result.ok, result.rows, result.first_bad_seq, result.anchored_to_seq) == (True, 8, None, None)
    assert told == [8]


def test_an_empty_chain_verifies(database: Database) -> None:
    """Nothing was ever written, and the head says so too."""
    result = trail_of(database).verify_chain()
    assert (result.ok, result.rows, result.first_bad_seq) == (True, 0, None)


@pytest.mark.parametrize("what", TAMPERING)
def test_verification_finds_the_first_bad_row(database: Database, url: str, what: str) -> None:
    """Edits, deletions, swaps and a cut tail are found, with the first seq that is wrong."""
    add_rows(database, 8)
    statements, first_bad = TAMPERING[what]
    unprotected(url, *statements)
    result = trail_of(database).verify_chain()
    assert (result.ok, result.first_bad_seq, result.rows) == (False, first_bad, first_bad - 1)


def test_verification_finds_a_bad_row_on_any_page(database: Database, url: str) -> None:
    """The chain goes on over the border of a page of the reader."""
    add_rows(database, 8)
    assert audit.PAGE > 8
    many = raw(url, "SELECT count(*) FROM audit_events")
    assert many == [(8,)]
    paged = verify(database, page=3)
    assert (paged.ok, paged.rows) == (True, 8)
    unprotected(url, "UPDATE audit_events SET actor = 'x' WHERE seq = 7")
    assert verify(database, page=3).first_bad_seq == 7
    assert [row["seq"] for row in audit.history(database, page=3)] == list(range(1, 9))


def test_the_hash_is_what_the_document_says(database: Database, url: str) -> None:
    """docs/database.md, section "The chain", by other code: anybody can check a row with SHA-256 and JSON alone."""
    add_rows(database, 2)
    previous = "0" * 64
    for values in raw(url, f"SELECT {', '.join(COLUMNS)} FROM audit_events ORDER BY seq"):  # noqa: S608 - constants
        row = dict(zip(COLUMNS, values, strict=True))
        said = row.pop("hash")
        text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert row["prev_hash"] == previous
        assert said == hashlib.sha256(f"rotator audit row v1\n{previous}{text}".encode()).hexdigest()
        previous = said
    assert GENESIS == "0" * 64


def test_hostile_texts_are_stored_and_verify(database: Database) -> None:
    """Names from outside may hold anything: NUL, half a surrogate pair, quotes, other scripts."""
    hostile = "a\0b\ud800c'\";--\u202e\U0001f511\n\x1b[31m"
    event = Event("check", Phase.OBSERVE, Outcome.OK, error=hostile, request_id=hostile, evidence={hostile: [hostile]})
    trail_of(database).record(event, Who(actor=hostile, reason=hostile), org=hostile, app=hostile)
    row = next(trail_of(database).history())
    assert row["error"] == "a\ufffdb?c'\";--\u202e\U0001f511\n\x1b[31m"
    assert trail_of(database).verify_chain().ok


def test_the_chain_runs_through_every_kind_of_row(database: Database) -> None:
    """Rows of rotations and rows of their own stand in one chain from row 1."""
    add_rows(database, 1)
    started(database)
    add_rows(database, 1)
    rows = list(trail_of(database).history())
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert [row["prev_hash"] for row in rows] == [GENESIS, rows[0]["hash"], rows[1]["hash"]]


def forge(url: str, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], *, relink: bool) -> None:
    """Rewrites the trail as somebody would who knows how hashes are made; `relink` computes the links anew too."""
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in raw(url, "SELECT * FROM audit_events ORDER BY seq")]
    previous = GENESIS
    for row in (rows := edit(rows)):
        row["prev_hash"] = previous if relink else row["prev_hash"]
        previous = row["hash"] = row_hash(row)
    unprotected(url, "DELETE FROM audit_events")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(insert(audit_events), rows)
        connection.execute(update(audit_head).values(hash=previous))


def test_a_row_edited_together_with_its_own_hash_is_found(database: Database, url: str) -> None:
    """The next row still links to the old one."""
    add_rows(database, 8)
    forge(url, lambda rows: [{**row, "reason": "forged"} if row["seq"] == 4 else row for row in rows], relink=False)
    assert trail_of(database).verify_chain().first_bad_seq == 5


def test_a_row_taken_out_with_all_links_made_anew_leaves_a_gap(database: Database, url: str) -> None:
    """The numbers have no gap in an honest trail."""
    add_rows(database, 8)
    forge(url, lambda rows: [row for row in rows if row["seq"] != 4], relink=True)
    assert trail_of(database).verify_chain().first_bad_seq == 4
