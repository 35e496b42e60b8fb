"""What an export holds: rows by filters, CSV without formulas, OCSF by its schema, flat memory."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rotator.adapters.sql.audit import COLUMNS
from rotator.adapters.sql.database import Database, instant
from rotator.adapters.sql.selecting import Selection, stored
from rotator.domain.chain import row_hash
from rotator.domain.words import STEP_NAMES, Outcome, Phase
from rotator.exports import ocsf, table
from tests.audit.conftest import HARD
from tests.audit.files import rows
from tests.unit.sql.support import trail_of
from tools.bench.audit import fill as lengthen

SCHEMA = json.loads(Path(__file__).with_name("ocsf-1.6.0-entity-management.schema.json").read_text())


def seqs(database: Database, **chosen: Any) -> list[int]:
    return [row["seq"] for row in rows(database, Selection(**chosen))]


def test_the_rows_are_those_of_the_trail_as_they_are_stored(database: Database) -> None:
    """Every column of every row, across pages, and each row still has its hash."""
    found = list(rows(database))
    told = list(trail_of(database).history())
    assert [row["seq"] for row in found] == [row["seq"] for row in told] == list(range(1, len(HARD) + 3))
    assert all(set(row) == set(COLUMNS) and row_hash(row) == row["hash"] for row in found)


def test_a_filter_gives_the_rows_it_names_and_no_other(database: Database) -> None:
    """By app, org, step, rotation and time; several at once must all hold."""
    told = list(trail_of(database).history())
    everything = [row["seq"] for row in told]
    assert seqs(database, app="billing") == [1, 2]
    assert seqs(database, app="orders", step="check", org="acme") == everything[2:]
    assert seqs(database, app="billing", step="check") == []
    assert seqs(database, rotation_id=told[0]["rotation_id"]) == [1, 2]
    third = instant(told[2]["ts"])
    assert seqs(database, until=third) == [row["seq"] for row in told if row["ts"] < told[2]["ts"]]
    assert seqs(database, since=third) == [row["seq"] for row in told if row["ts"] >= told[2]["ts"]]
    assert seqs(database, since=third + timedelta(days=1)) == []


def test_rows_that_come_meanwhile_are_left_out(short: Database) -> None:
    """An export ends where the trail ended when it began."""
    assert [row["seq"] for row in stored(short, Selection(), upto=4, page=3)] == [1, 2, 3, 4]


def test_a_spreadsheet_finds_no_formula(database: Database) -> None:
    """Read back, every text that begins like a formula has an apostrophe before it; every other text is as it was."""
    text = "".join(table.lines(COLUMNS, rows(database)))
    head, *told = list(csv.reader(io.StringIO(text, newline="")))
    assert head == list(COLUMNS)
    errors = [row[head.index("error")] for row in told]
    assert errors[2:] == [f"'{one}" if one[0] in "=+@-" else one for one in errors_of(database)]
    assert not [cell for row in told for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def errors_of(database: Database) -> list[str]:
    return [row["error"] for row in rows(database) if row["error"]]


@pytest.mark.parametrize("text", ["\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠x"])
def test_hidden_formulas_are_texts_too(text: str) -> None:
    """White space and full-width signs do not hide one; a number stays a number."""
    assert table.cell(text) == f"'{text}"
    assert table.cell(-1) == "-1"
    assert table.cell(None) == ""


def test_every_row_is_an_entity_management_event(database: Database) -> None:
    """Each line is valid by the JSON Schema of OCSF 1.6.0, class 3004, and tells who, what, when and with which
    result."""
    events = [json.loads(line) for line in ocsf.lines(rows(database))]
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert [error.message for event in events for error in validator.iter_errors(event)] == []
    stored_rows = list(rows(database))
    assert [event["metadata"]["uid"] for event in events] == [row["event_id"] for row in stored_rows]
    assert {event["actor"]["user"]["name"] for event in events} == {row["actor"] for row in stored_rows}
    assert [event["time"] for event in events] == [
        round(instant(row["ts"]).timestamp() * 1000) for row in stored_rows
    ]
    assert events[1]["type_uid"] == 300401
    assert events[1]["unmapped"]["new_key_fp"] == stored_rows[1]["new_key_fp"]


def test_every_step_phase_and_outcome_has_a_valid_event(short: Database) -> None:
    """Whatever stands in a row: all names of the contract, with and without app, org, error and HTTP status."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    row = next(rows(short))
    for step in STEP_NAMES:
        for phase, outcome in [(Phase.INTENT, None), *((Phase.OUTCOME, one) for one in Outcome)]:
            for more in ({}, {"app": None}, {"app": None, "org": None, "http_status": 503, "error": "x"}):
                event = ocsf.event({**row, "step": step, "phase": phase.value, "outcome": outcome, **more})
                assert [error.message for error in validator.iter_errors(event)] == []


def test_the_schema_refuses_what_is_no_such_event(short: Database) -> None:
    """The validation bites: a member that the class does not know, a missing one, an activity that it does not have."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    event = ocsf.event(next(rows(short)))
    for wrong in ({**event, "ticket": "x"}, {**event, "activity_id": 77},
                  {name: value for name, value in event.items() if name != "entity"}):  # fmt: skip
        assert list(validator.iter_errors(wrong))


def test_an_export_keeps_memory_flat(short: Database) -> None:
    """Pages are let go: to export 3,000 rows takes a tenth of the memory of those rows at most."""
    short.write(lambda connection: lengthen(connection, 3_000))

    def peak(work: Callable[[], object]) -> int:
        tracemalloc.start()
        kept = work()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del kept
        return most

    whole = peak(lambda: list(rows(short, page=50)))
    assert peak(lambda: [None for _ in ocsf.lines(rows(short, page=50))]) < whole / 10
