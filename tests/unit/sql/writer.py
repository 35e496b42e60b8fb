"""A process that appends rows to the trail: `python -m tests.unit.sql.writer URL ROWS`."""

from __future__ import annotations

import os
import sys

from rotator.adapters.sql.audit import Context, Trail
from rotator.domain.event import Event
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase
from tests.contract.ledger_ports import open_database


def main(url: str, rows: int) -> None:
    database = open_database(url, patience=60)
    trail = Trail(database, Context(f"pid-{os.getpid()}", "0.1.0", ""))
    for number in range(rows):
        seq = trail.record(Event("check", Phase.OBSERVE, Outcome.OK, evidence={"number": number}), Who())
        print(seq, flush=True)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
