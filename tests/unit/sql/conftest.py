"""Databases for the tests of the SQL adapter: each test has its own, on both servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rotator.adapters.sql.database import Database
from tests.contract.ledger_ports import KINDS, fresh_url, open_database


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a database that has the tables: SQLite, then PostgreSQL."""
    return fresh_url(request.param, request)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same, opened."""
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest) -> str:
    """The URL of a SQLite database that has the tables."""
    return fresh_url("sqlite", request)
