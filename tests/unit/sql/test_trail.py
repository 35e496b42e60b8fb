"""What stands in the audit rows of a rotation, and how the trail is read."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.sql.audit import COLUMNS
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.plain import build
from rotator.adapters.sql.rows import COLUMNS as COLUMNS_OF_ROTATION
from rotator.adapters.sql.rows import FIELDS, from_row, to_row
from rotator.domain.errors import InvariantBroken
from rotator.domain.event import Event
from rotator.domain.pair import fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.secret import Secret
from rotator.domain.words import Claim, Outcome, Phase, Trigger
from tests.contract.ledger_ports import (
    CONSUMER,
    WHO,
    MovedTime,
    intent,
    open_database,
    opening,
    outcome,
)
from tests.unit.sql.support import raw, started, trail_of

# contract.md, "Database": outside checks use exactly these names.
CONTRACT = (
    "seq, event_id, ts, rotation_id, trigger, actor, origin, approver, break_glass, reason, ticket, org, app, "
    "step, attempt, phase, outcome, error, http_status, remote_request_id, old_key_fp, new_key_fp, vault_path, "
    "vault_version, duration_ms, evidence, host, version, config_hash, prev_hash, hash"
)


def rows(database: Database) -> list[dict[str, Any]]:
    return list(trail_of(database).history())


def test_the_columns_are_those_of_the_contract(database: Database, url: str) -> None:
    """Exactly these, in the tables, in the database, and in what `history` gives."""
    started(database)
    assert ", ".join(COLUMNS) == CONTRACT
    assert len(raw(url, f"SELECT {CONTRACT} FROM audit_events")) == 1  # noqa: S608 - a constant
    assert ", ".join(rows(database)[0]) == CONTRACT


def test_a_row_tells_who_what_where_and_with_which_result(database: Database) -> None:
    """Every column has its source; what is absent is null."""
    ledger, lease, row = started(database)
    row = ledger.commit(lease, row, outcome("stage"), {"new_key": "key1"})
    event = Event(
        "publish", Phase.OUTCOME, Outcome.OK, error="", http_status=200, request_id="req-1", vault_version=8,
        duration_ms=12, evidence={"cas": 7},
    )  # fmt: skip
    ledger.commit(lease, row, event, {"published_version": 8})
    told = rows(database)[2]
    own = {name: told.pop(name) for name in ("ts", "prev_hash", "hash")}
    assert own["ts"].endswith("Z")
    assert told == {
        "seq": 3, "event_id": event.id, "rotation_id": row.id, "trigger": "manual", "actor": "alice",
        "origin": "socket", "approver": "bob", "break_glass": True, "reason": "quarterly", "ticket": "CHG-1",
        "org": "acme", "app": "billing", "step": "publish", "attempt": 1, "phase": "outcome", "outcome": "ok",
        "error": None, "http_status": 200, "remote_request_id": "req-1", "old_key_fp": fingerprint("key0"),
        "new_key_fp": fingerprint("key1"), "vault_path": "salesforce/acme/billing", "vault_version": 8,
        "duration_ms": 12, "evidence": {"cas": 7, "set": {"published_version": 8}}, "host": "host-1",
        "version": "0.1.0", "config_hash": "c0ffee",
    }  # fmt: skip


def test_a_discarded_pair_is_still_named(database: Database) -> None:
    """The outcome that takes the new key out of the row says which key it was."""
    ledger, lease, row = started(database)
    row = ledger.commit(lease, row, outcome("stage"), {"new_key": "key1"})
    ledger.commit(lease, row, outcome("discard"), {"new_key": ""})
    assert rows(database)[2]["new_key_fp"] == fingerprint("key1")


def test_an_attempt_counts_the_intents_of_its_step(database: Database) -> None:
    """Outcomes have the number of their intent; each rotation counts for itself; steps without intent count rows."""
    ledger, lease, row = started(database)
    for event in (
        intent("stage"),
        outcome("stage", Outcome.FAILED),
        intent("stage"),
        intent("escrow"),
        outcome("stage"),
    ):
        row = ledger.commit(lease, row, event, {})
    for _ in range(2):
        row = ledger.commit(lease, row, outcome("verify", Outcome.REFUSED), {})
    force = ledger.open(lease, opening(Trigger.FORCE))
    ledger.commit(lease, force, intent("stage"), {})
    told = [(row["step"], row["attempt"]) for row in rows(database)]
    assert told == [
        ("request", 1), ("stage", 1), ("stage", 1), ("stage", 2), ("escrow", 1), ("stage", 2), ("verify", 1),
        ("verify", 2), ("force", 1), ("force", 1), ("stage", 1),
    ]  # fmt: skip


def test_only_an_intent_has_no_outcome(database: Database) -> None:
    """An observation or decision without a word of its own went well."""
    ledger, lease, row = started(database)
    for phase in Phase:
        row = ledger.commit(lease, row, Event("stage", phase), {})
    assert {row["phase"]: row["outcome"] for row in rows(database)[1:]} == {
        "intent": None, "outcome": "ok", "observe": "ok", "decision": "ok",
    }  # fmt: skip


def test_an_operator_stands_in_the_rows_of_his_own_act(database: Database) -> None:
    """An abandon by Bob is Bob's, in a rotation that Alice asked for."""
    ledger, lease, row = started(database)
    ledger.ask_abandon(row.id, Who("bob", reason="wrong app"))
    asked = rows(database)[1]
    assert (asked["step"], asked["phase"], asked["actor"], asked["reason"]) == (
        "abandon",
        "decision",
        "bob",
        "wrong app",
    )
    ledger.commit(lease, ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).rotation or row, intent("discard"), {})
    assert rows(database)[2]["actor"] == "alice"


def test_the_state_can_be_rebuilt_from_the_trail(database: Database) -> None:
    """The evidence of all rows of a rotation, laid over each other, is its row."""
    ledger, lease, row = started(database)
    row = ledger.commit(lease, row, intent("stage"), {"posting": True})
    row = ledger.commit(
        lease, row, outcome("stage"), {"posting": False, "new_key": "key1", "settle_until": row.started_at}
    )
    ledger.ask_abandon(row.id, WHO, now=True)
    force = ledger.open(lease, opening(Trigger.FORCE))
    for expected in ledger.rotations(open_only=False):
        values: dict[str, Any] = {}
        for event in trail_of(database).history(rotation_id=expected.id):
            values |= event["evidence"]["set"]
        assert build(Rotation, values) == expected
    assert force.parent_id == row.id


def test_history_is_filtered_by_app_time_and_rotation(url: str) -> None:
    """Each filter alone; ascending seq."""
    moved = MovedTime()
    database = open_database(url, moved)
    _, _, row = started(database)
    moved.advance(60)
    trail_of(database).record(Event("check", Phase.OBSERVE), WHO, app="other")
    trail = trail_of(database)
    assert [event["seq"] for event in trail.history()] == [1, 2]
    assert [event["seq"] for event in trail.history(app="billing")] == [1]
    assert [event["seq"] for event in trail.history(since=moved.now)] == [2]
    assert [event["seq"] for event in trail.history(since=moved.now - timedelta(seconds=60))] == [1, 2]
    assert [event["seq"] for event in trail.history(rotation_id=row.id)] == [1]
    assert [event["ts"] for event in trail.history()] == ["2026-11-24T08:00:00.123456Z", "2026-11-24T08:01:00.123456Z"]
    database.close()


def test_a_lease_taken_over_stands_in_the_trail(url: str) -> None:
    """Somebody died or froze: who, and when the lease ran out. A restart under the same name is no news."""
    moved = MovedTime()
    database = open_database(url, moved)
    ledger, _, row = started(database)
    ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-1", 30)
    moved.advance(31)
    ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-2", 30)
    told = [event for event in rows(database) if event["step"] == "lease"]
    database.close()
    assert [event["rotation_id"] for event in told] == [row.id]
    assert told[0]["evidence"] == {
        "owner": "worker-2", "epoch": 3, "was": "worker-1", "ran_out": "2026-11-24T08:00:30.123456Z",
    }  # fmt: skip


def test_both_databases_hold_the_same(tmp_path: Path, url: str) -> None:
    """The same acts give the same row and the same trail but for ids and hashes; nothing depends on the zone."""
    moved = MovedTime()
    database = open_database(url, moved)
    ledger, lease, row = started(database)
    row = ledger.commit(lease, row, outcome("stage"), {"overlap_until": moved.now + timedelta(hours=24)})
    stored = raw(url, "SELECT started_at, overlap_until, who, old_keys, posting, state FROM rotations")
    database.close()
    who = (
        '{"actor":"alice","approver":"bob","break_glass":true,"origin":"socket","reason":"quarterly","ticket":"CHG-1","uid":null}'
    )
    at = "T08:00:00.123456Z"
    assert stored == [(f"2026-11-24{at}", f"2026-11-25{at}", who, '["key0"]', 0, "running")]


def test_a_field_without_a_column_survives_in_more(database: Database) -> None:
    """A new field of a rotation needs no migration: text, time, flag and mapping come back as they were."""
    ledger, lease, row = started(database)
    row = ledger.commit(
        lease,
        row,
        outcome("prove"),
        {"canary": "jwt", "next_at": row.started_at, "proven": True, "claims": {"slot": Claim.PROVEN}},
    )
    own = COLUMNS_OF_ROTATION - {"canary", "next_at", "proven", "claims"}
    stored = to_row(row, own)
    assert "canary" not in stored
    assert json.loads(stored["more"])["canary"] == "jwt"
    assert from_row(stored, own) == row


def test_a_row_that_was_written_before_a_field_existed_is_read(database: Database, url: str) -> None:
    """A field without a column stands in `more`; a missing one has its default, a strange one is passed over."""
    ledger, _, row = started(database)
    assert set(json.loads(raw(url, "SELECT more FROM rotations")[0][0])) == FIELDS - COLUMNS_OF_ROTATION
    raw(url, """UPDATE rotations SET more = '{"from_the_future": 1}', policy = '{"overlap": 3600.0, "strange": 1}'""")
    found = ledger.rotation(row.id)
    assert found is not None
    assert found.policy.overlap == timedelta(hours=1)
    assert found.policy.probe == "limits"


@pytest.mark.parametrize("where", ["evidence", "changes", "learned"])
def test_a_secret_is_refused_before_anything_is_written(sqlite_url: str, where: str) -> None:
    """A secret handed in by mistake reaches neither the database nor its log; the scan would see it there."""
    database = open_database(sqlite_url)
    ledger, lease, row = started(database)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    row = ledger.commit(lease, row, outcome("stage"), {"message": "needle-in-the-open"})
    secret: Any = Secret("needle-in-the-dark")
    given: dict[str, Any] = {where: {"message": secret}}
    event = Event("stage", Phase.OUTCOME, evidence=given.get("evidence", {}))
    with pytest.raises(InvariantBroken, match="must not stand in the database"):
        ledger.commit(lease, row, event, given.get("changes", {}), learned=given.get("learned"))
    held = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
    database.close()
    assert b"needle-in-the-open" in held
    assert b"needle-in-the-dark" not in held
