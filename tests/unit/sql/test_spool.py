"""The break-glass spool: durable, chained, for a force alone; and merged into the trail, flagged, once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.sql.audit import history
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.rebuild import rebuild
from rotator.adapters.sql.spool import SpoolLedger, read_lines
from rotator.adapters.sql.spool_merge import merge
from rotator.domain.errors import ConfigError, InvariantBroken, LedgerUnavailable, Refused, Stale
from rotator.domain.rotation import Rotation
from rotator.domain.words import Phase, State, Trigger
from tests.contract.ledger_ports import CONSUMER, CONTEXT, WHO, MovedTime, claim, intent, opening, outcome, row_of
from tests.unit.sql.support import ROOT, started, trail_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spool.jsonl"


@pytest.fixture
def spool(file: Path) -> Iterator[SpoolLedger]:
    made = SpoolLedger(file, MovedTime())
    yield made
    made.close()


def forced(ledger: SpoolLedger) -> Rotation:
    """A force of which a publish intent is open."""
    lease = claim(ledger)
    row = ledger.open(lease, opening(Trigger.FORCE))
    row = ledger.commit(lease, row, intent("stage"), {"posting": True})
    row = ledger.commit(lease, row, outcome("stage"), {"new_key": "key1"}, learned={"created_by_given": "yes"})
    row = ledger.commit(lease, row, intent("publish"), {"publish_version": 7}, publish_cas=7)
    ledger.yield_lease(lease)
    return row


def test_what_was_told_is_there_for_the_next_process(file: Path) -> None:
    """Row, open intents, check-and-set and facts; and the lines are a chain."""
    first = SpoolLedger(file, MovedTime())
    row = forced(first)
    first.close()
    again = SpoolLedger(file, MovedTime())
    record = again.read(CONSUMER.org_id, CONSUMER.consumer_id)
    assert (record.rotation, record.unknown, record.publish_cas) == (row, ("publish",), 7)
    assert record.facts.learn("x", "yes").values == {"created_by_given": "yes", "x": "yes"}
    assert again.open(claim(again), opening(Trigger.FORCE)) == row
    assert len(read_lines(file.read_bytes())) == 4
    assert file.stat().st_mode & 0o777 == 0o600
    again.close()


def test_only_a_force_by_break_glass_goes_on_without_the_database(spool: SpoolLedger, file: Path) -> None:
    """Everything else waits for the database, and leaves no line."""
    lease = claim(spool)
    for wanted in (opening(Trigger.MANUAL), opening(Trigger.SCHEDULED),
                   opening(Trigger.FORCE, who=replace(WHO, break_glass=False))):  # fmt: skip
        with pytest.raises(LedgerUnavailable, match="only `force --break-glass`"):
            spool.open(lease, wanted)
    assert file.read_bytes() == b""


def test_two_workers_exclude_each_other(spool: SpoolLedger, file: Path) -> None:
    """In one process by the lease, between processes by the lock on the file; who lost it writes nothing."""
    lease = claim(spool)
    assert spool.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-2", 30) is None
    with pytest.raises(LedgerUnavailable, match="another rotator works on"):
        SpoolLedger(file, MovedTime())
    spool.yield_lease(lease)
    assert spool.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-2", 30) is not None
    with pytest.raises(Stale):
        spool.open(lease, opening(Trigger.FORCE))


def test_a_line_that_was_not_finished_does_not_count(file: Path) -> None:
    """Power went while it was written: nobody was told that it is durable."""
    first = SpoolLedger(file, MovedTime())
    forced(first)
    first.close()
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in (1, len(lines[-1]) // 2, len(lines[-1]) - 1):
        file.write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])
        again = SpoolLedger(file, MovedTime())
        assert row_of(again).publish_version == -1
        forced(again) if cut == 1 else None
        again.close()


@pytest.mark.parametrize("line", range(4))
@pytest.mark.parametrize("how", ["edit", "delete", "swap", "garble"])
def test_a_changed_line_is_found(file: Path, line: int, how: str) -> None:
    """Whichever, whatever: the spool is not believed, by no reader. A cut end shows nothing here: see the anchors."""
    first = SpoolLedger(file, MovedTime())
    forced(first)
    first.close()
    lines = file.read_bytes().splitlines(keepends=True)
    if how == "edit":
        lines[line] = lines[line].replace(b"2026", b"2025")
    elif how == "garble":
        lines[line] = b"nothing\n"
    elif how == "swap":
        lines[line], lines[line - 1] = lines[line - 1], lines[line]
    else:
        del lines[line]
    if lines == file.read_bytes().splitlines(keepends=True)[: len(lines)]:
        return check_only_the_end_is_gone(lines)
    file.write_bytes(b"".join(lines))
    with pytest.raises(InvariantBroken, match="is not as it was written"):
        SpoolLedger(file, MovedTime())


def check_only_the_end_is_gone(lines: list[bytes]) -> None:
    assert len(read_lines(b"".join(lines))) == len(lines) == 3


def test_a_full_disk_reports_no_line_and_keeps_the_chain() -> None:
    """Limited to few bytes: the commit that does not fit is refused, and the lines before are whole."""
    code = """if True:
        import resource, signal, sys
        from pathlib import Path
        from tests.unit.sql.test_spool import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file = Path(sys.argv[1])
        ledger = SpoolLedger(file, MovedTime())
        lease = claim(ledger)
        row = ledger.open(lease, opening(Trigger.FORCE))
        full = file.stat().st_size + 100
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))
        try:
            ledger.commit(lease, row, intent("stage"), {"posting": True})
        except LedgerUnavailable as error:
            print(error.message, len(read_lines(file.read_bytes())), row_of(ledger).posting)
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run([sys.executable, "-c", code, f"{folder}/spool"], cwd=ROOT, capture_output=True, text=True,
                             check=False)  # fmt: skip
    assert ran.stdout == "the break-glass spool takes no line: File too large 1 False\n", ran.stderr


def test_an_abandon_is_refused_and_a_release_goes_on(spool: SpoolLedger) -> None:
    """As in the database."""
    lease = claim(spool)
    row = spool.open(lease, opening(Trigger.FORCE))
    with pytest.raises(Refused, match="cannot be abandoned"):
        spool.ask_abandon(row.id, WHO)
    spool.commit(lease, row, outcome("hold"), {"state": State.HELD})
    assert spool.release(row.id, WHO).state is State.RUNNING
    assert [one.id for one in spool.rotations(app="billing")] == [row.id]
    ended = spool.commit(lease, row, outcome("close"), {"state": State.DONE})
    assert ended.ended_at == MovedTime().now
    assert spool.rotations() == ()


def test_a_file_that_cannot_be_used_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    """No folder: said, with the key."""
    with pytest.raises(ConfigError) as caught:
        SpoolLedger(tmp_path / "none" / "spool", MovedTime())
    assert caught.value.where == "audit.spool"


def test_a_spool_is_merged_with_its_rotation_and_flagged(database: Database, file: Path) -> None:
    """What was open in the database is superseded; the rows stand in the chain with break_glass, their line and time;
    whoever held the lease is stale; the rotation goes on from the database; state and trail agree."""
    ledger, old_lease, open_before = started(database)
    spool = SpoolLedger(file, MovedTime())
    row = forced(spool)
    spool.close()
    assert merge(database, CONTEXT, file) == 4
    assert not file.exists()
    assert [one.name for one in file.parent.glob("spool.jsonl.merged-*")] != []
    record = ledger.read(CONSUMER.org_id, CONSUMER.consumer_id)
    assert record.rotation == replace(row, number=2, parent_id=open_before.id)
    assert (record.unknown, record.publish_cas) == (("publish",), 7)
    before = ledger.rotation(open_before.id)
    assert before is not None
    assert (before.state, before.reason) == (State.ABANDONED, "superseded")
    check_rows([one for one in history(database) if "spool" in one["evidence"]], row.id)
    with pytest.raises(Stale):
        ledger.extend(old_lease, 30)
    assert ledger.commit(claim(ledger), record.rotation, outcome("publish"), {"published_version": 8}).published_version
    ledger.yield_lease(claim(ledger))
    assert trail_of(database).verify_chain().ok
    assert rebuild(database, CONTEXT, WHO).changed == ()


def check_rows(rows: list[dict[str, Any]], rotation_id: str) -> None:
    assert [(one["step"], one["phase"]) for one in rows] == [
        ("force", Phase.DECISION), ("stage", Phase.INTENT), ("stage", Phase.OUTCOME), ("publish", Phase.INTENT)
    ]  # fmt: skip
    assert all(one["break_glass"] and one["rotation_id"] == rotation_id for one in rows)
    assert [one["evidence"]["spool"]["line"] for one in rows] == [1, 2, 3, 4]
    assert {one["evidence"]["spool"]["at"] for one in rows} == {"2026-11-24T08:00:00.123456Z"}


def test_a_merge_that_died_before_the_file_was_set_aside_adds_nothing_twice(database: Database, file: Path) -> None:
    """The rows are known by their event ids; lines that came since are added."""
    spool = SpoolLedger(file, MovedTime())
    row = forced(spool)
    spool.close()
    first = file.read_bytes()
    assert merge(database, CONTEXT, file) == 4
    file.write_bytes(first)
    spool = SpoolLedger(file, MovedTime())
    spool.commit(claim(spool), row, outcome("publish"), {"published_version": 8})
    spool.close()
    assert merge(database, CONTEXT, file) == 1
    ledger = SqlLedger(database, CONTEXT)
    assert [(one.number, one.published_version) for one in ledger.rotations(open_only=False)] == [(1, 8)]
    assert trail_of(database).verify_chain().rows == 5
    assert rebuild(database, CONTEXT, WHO).changed == ()


def test_a_spool_that_was_changed_is_not_merged(database: Database, file: Path) -> None:
    """The database stays as it is, the file where it is."""
    spool = SpoolLedger(file, MovedTime())
    forced(spool)
    spool.close()
    line = json.loads(file.read_bytes().splitlines()[0])
    file.write_text(json.dumps({**line, "at": "2020-01-01T00:00:00.000000Z"}) + "\n")
    with pytest.raises(InvariantBroken):
        merge(database, CONTEXT, file)
    assert list(history(database)) == []
    assert file.exists()
