"""Trails for the tests of exports, reports and retention: each test has its own, on both servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rotator.adapters.sql.database import Database
from rotator.domain.event import Event
from rotator.domain.words import Outcome, Phase
from tests.contract.ledger_ports import KINDS, WHO, fresh_url, open_database, outcome
from tests.unit.sql.support import started, trail_of


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a database that has the tables: SQLite, then PostgreSQL."""
    return fresh_url(request.param, request)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same, opened, with a short trail: a rotation, and texts that are hard to write."""
    opened = open_database(url)
    fill(opened)
    yield opened
    opened.close()


@pytest.fixture
def short(request: pytest.FixtureRequest) -> Iterator[Database]:
    """The same on SQLite alone, where the server does not matter."""
    opened = open_database(fresh_url("sqlite", request))
    fill(opened)
    yield opened
    opened.close()


HARD = ("=HYPERLINK(\"x\")", "+1", "@SUM", "-2", "é\u2028ü😀\x7f", 'a"b\\c', "a,b;c")


def fill(database: Database) -> None:
    """Nine rows or more."""
    ledger, lease, row = started(database)
    row = ledger.commit(lease, row, outcome("stage"), {"new_key": "key1"})
    for text in HARD:
        event = Event("check", Phase.OBSERVE, Outcome.FAILED, error=text, evidence={"text": text})
        trail_of(database).record(event, WHO, org="acme", app="orders")
