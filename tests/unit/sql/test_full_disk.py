"""A disk that is full, a process that is killed meanwhile: no row is lost that was reported, and the chain is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rotator.adapters.sql.database import Database
from rotator.domain.event import Event
from rotator.domain.words import Outcome, Phase
from tests.contract.ledger_ports import WHO
from tests.unit.sql.support import ROOT, trail_of


def written(url: str, bytes_: int) -> tuple[list[int], str]:
    """A process that appends until no file may grow further; the rows it was told are durable, and how it ended."""
    command = ["prlimit", f"--fsize={bytes_}", sys.executable, "-m", "tests.unit.sql.writer", url, "100000"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    return [int(line) for line in ran.stdout.split()], ran.stderr


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("more", [40_000, 200_000])
def test_no_reported_row_is_lost_when_the_disk_is_full(database: Database, url: str, more: int) -> None:
    """At whatever page it happens: the writer is told, what was reported is there, and with room again it goes on."""
    file = Path(url.removeprefix("sqlite:///"))
    told, error = written(url, file.stat().st_size + more)
    assert "LedgerUnavailable" in error, error[-300:]
    assert len(told) > 3
    found = trail_of(database).verify_chain()
    assert (found.ok, found.rows >= max(told)) == (True, True)
    assert trail_of(database).record(Event("check", Phase.OBSERVE, Outcome.OK), WHO) == found.rows + 1
    assert trail_of(database).verify_chain().ok
