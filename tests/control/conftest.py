"""One simulator for these tests; each test has a world and a daemon of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.scene import Door, simulator
from tests.control.served import Served


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    """The admin door of the simulator."""
    with simulator() as opened:
        yield opened


@pytest.fixture
def scene(door: Door, tmp_path: Path) -> Iterator[Served]:
    """A world, a configuration, and a daemon at work. Whatever the test did went by its socket."""
    served = Served(door, tmp_path)
    with served.running():
        yield served
    with closing(sqlite3.connect(served.database)) as database:
        rows = database.execute("SELECT origin, step FROM audit_events WHERE origin = 'cli' AND step != 'config'")
        assert rows.fetchall() == []
