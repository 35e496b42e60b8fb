"""A disk that is full, a process that is killed meanwhile: no row is lost that was reported, and the chain is whole."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rotator.adapters.sql import schema
from rotator.adapters.sql.database import Database
from rotator.domain.event import Event
from rotator.domain.ids import sortable_id
from rotator.domain.words import Outcome, Phase
from tests.contract.ledger_ports import WHO, open_database
from tests.servers.disk import SmallDisk
from tests.unit.sql.support import ROOT, trail_of

EVENT = Event("check", Phase.OBSERVE, Outcome.OK)


def written(url: str, *limit: str) -> tuple[list[int], str]:
    """A process that appends until there is no room left; the rows it was told are durable, and how it ended."""
    command = [*limit, sys.executable, "-m", "tests.unit.sql.writer", url, "100000"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    return [int(line) for line in ran.stdout.split()], ran.stderr


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("more", [40_000, 200_000])
def test_no_reported_row_is_lost_when_the_disk_is_full(database: Database, url: str, more: int) -> None:
    """At whatever page it happens: the writer is told, what was reported is there, and with room again it goes on."""
    file = Path(url.removeprefix("sqlite:///"))
    told, error = written(url, "prlimit", f"--fsize={file.stat().st_size + more}")
    assert "LedgerUnavailable" in error, error[-300:]
    assert len(told) > 3
    goes_on(database, told)


@pytest.mark.parametrize("more", [100_000, 300_000])
def test_no_reported_row_is_lost_when_the_disk_of_postgresql_is_full(disk: SmallDisk, more: int) -> None:
    """The same where the server's tables lie on a disk that is really full."""
    with closing(open_database(disk.url)) as database:
        schema.prepare(database)
        trail_of(database).record(EVENT, WHO)  # the first row of a table takes the most room
        disk.fill(but=more)
        told, error = written(disk.url)
        assert "the database's disk is full (53100)" in error, error[-300:]
        assert len(told) > 3
        disk.free()
        goes_on(database, told)


def goes_on(database: Database, told: list[int]) -> None:
    """What was told is there, the chain is whole, and the next row finds its place."""
    found = trail_of(database).verify_chain()
    assert (found.ok, found.rows >= max(told)) == (True, True)
    assert trail_of(database).record(replace(EVENT, id=sortable_id()), WHO) == found.rows + 1
    assert trail_of(database).verify_chain().ok
