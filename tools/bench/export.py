"""Exports the trail of a database to nowhere: `BENCH_DATABASE=URL python -m tools.bench.export FORMAT`; prints seconds,
rows."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

from rotator.adapters.sql.audit import COLUMNS
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.selecting import Selection, before_first, stored
from rotator.adapters.sql.verify import head
from rotator.exports import jsonl, ocsf, table
from rotator.exports.about import About, Link
from rotator.process import Stop, SystemClock


def main(form: str) -> None:
    """As `rotator audit export` does it, but for the file."""
    database = Database(os.environ["BENCH_DATABASE"], clock=SystemClock(Stop()))
    begun = time.perf_counter()
    count = sum(1 for _ in lines(database, form)) - {"jsonl": 2, "csv": 1, "ocsf": 0}[form]
    seconds = time.perf_counter() - begun
    database.close()
    print(seconds, count)


def lines(database: Database, form: str) -> Iterable[str]:
    """Of the whole trail."""
    end = Link(*head(database))
    rows = stored(database, Selection(), end.seq)
    if form == "csv":
        return table.lines(COLUMNS, rows)
    if form == "ocsf":
        return ocsf.lines(rows)
    return jsonl.lines(About("", "", "", {}, Link(*before_first(database)), end), rows)


if __name__ == "__main__":
    main(sys.argv[1])
