"""Reports: what each tells, on both databases; the page is escaped, whole and needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from rotator.adapters.sql import recounting
from rotator.adapters.sql.database import Database
from rotator.domain.words import Outcome, State, Trigger
from rotator.reports.page import page
from rotator.reports.report import Bar, Report, Span, lasting
from tests.contract.ledger_ports import KINDS, START, WHO, MovedTime, fresh_url, open_database, opening, outcome
from tests.unit.sql.support import started

NASTY = "<script>alert(1)</script>&\"'\x00"


@pytest.fixture(params=KINDS)
def moved(request: pytest.FixtureRequest) -> Iterator[tuple[Database, MovedTime]]:
    """A database whose clock the test moves."""
    time = MovedTime()
    opened = open_database(fresh_url(request.param, request), time)
    yield opened, time
    opened.close()


def test_a_hold_is_told_with_its_reason_and_its_end(moved: tuple[Database, MovedTime]) -> None:
    """Held, an hour later released by a person, then held again and still so: two holds, the first one ended."""
    database, time = moved
    ledger, _lease, row = started(database)
    ledger.hold(row.id, WHO, code="foreign_primary", message="a stranger", fix="look")
    time.advance(3600)
    ledger.release(row.id, WHO)
    time.advance(60)
    ledger.hold(row.id, WHO, code="drift", message="again", fix="look")
    first, second = recounting.holds(database, None, "")
    assert (first.code, first.why, first.ended_by, first.actor) == ("foreign_primary", "a stranger", "release", "alice")
    assert first.end is not None
    assert first.end - first.since == timedelta(hours=1)
    assert (second.code, second.end) == ("drift", None)
    assert recounting.holds(database, first.end, "") == [second]
    assert recounting.holds(database, None, "elsewhere") == []


def test_forces_are_told_and_nothing_else(moved: tuple[Database, MovedTime]) -> None:
    """A routine rotation is none; a force is told with whoever asked; `since` and the org choose."""
    database, time = moved
    ledger, lease, row = started(database)
    ledger.commit(lease, row, outcome("close"), {"state": State.DONE})
    time.advance(60)
    forced = ledger.open(lease, opening(Trigger.FORCE, consumer=row.consumer))
    assert [one.id for one in recounting.forced(database, None, "acme")] == [forced.id]
    assert [one.id for one in recounting.ended(database, None, "")] == [row.id]
    assert recounting.forced(database, START + timedelta(hours=1), "") == []
    assert recounting.forced(database, None, "other") == []


def test_rows_are_counted_by_step_phase_and_outcome(moved: tuple[Database, MovedTime]) -> None:
    """Since the asked time only; an intent has no outcome."""
    database, time = moved
    ledger, lease, row = started(database)
    for _ in range(2):
        time.advance(60)
        row = ledger.commit(lease, row, outcome("stage", Outcome.FAILED), {})
    told = {(one.step, one.outcome): one.rows for one in recounting.counts(database, None, "")}
    assert told[("stage", "failed")] == 2
    since = recounting.counts(database, START + timedelta(seconds=90), "")
    assert [(one.step, one.rows) for one in since] == [("stage", 1)]


def nasty() -> Report:
    """A report whose every text is an attack."""
    rows = ({"app": NASTY, "ok": True, "age": timedelta(hours=30), "none": None},)
    return Report("ages", NASTY, NASTY, START, {"app": NASTY, "ok": "Ok", "age": "Age", "none": "None"}, rows,
                  {NASTY: NASTY}, NASTY, START, bars=(Bar(NASTY, 2, 1, NASTY, bad=True),),
                  spans=(Span(NASTY, START - timedelta(days=1), None, bad=False),))  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in ("src", "href", "data") or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_shows_hostile_texts_as_texts_and_needs_no_other_file() -> None:
    """No tag, no attribute, no control character comes from outside; nothing is loaded; both pictures are there."""
    seen = Seen()
    made = page(nasty(), NASTY)
    seen.feed(made)
    assert "script" not in seen.tags
    assert seen.links == []
    assert "url(" not in made
    assert "@import" not in made
    assert seen.tags.count("svg") == 2
    assert "<script>alert(1)</script>" in seen.text
    assert "\x00" not in made
    assert "default-src 'none'" in made


def test_table_and_json_tell_the_same() -> None:
    """Times as RFC 3339 and durations as seconds for programs; both in words for people."""
    told = nasty().document()
    assert told["rows"] == [{"app": NASTY, "ok": True, "age": 108000, "none": None}]
    assert told["at"] == "2026-11-24T08:00:00.123456Z"
    assert nasty().table()[1] == [NASTY, "yes", "1 d 6 h", "-"]
    assert json.dumps(told)


@pytest.mark.parametrize(("seconds", "said"), [(5, "5 s"), (60, "1 min"), (3661, "1 h 1 min"), (86400 * 90, "90 d")])
def test_durations_are_told_in_two_units(seconds: int, said: str) -> None:
    """The largest two; zeros are left out."""
    assert lasting(timedelta(seconds=seconds)) == said
