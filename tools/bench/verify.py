"""Verifies the audit chain of one database: `BENCH_DATABASE=URL python -m tools.bench.verify`; prints seconds, rows."""

from __future__ import annotations

import os
import time

from rotator.adapters.sql.audit import Context, Trail
from rotator.adapters.sql.database import Database
from rotator.process import Stop, SystemClock


def main() -> None:
    """As `rotator audit verify` does it."""
    database = Database(os.environ["BENCH_DATABASE"], clock=SystemClock(Stop()))
    begun = time.perf_counter()
    result = Trail(database, Context(host="", version="", config_hash="")).verify_chain()
    seconds = time.perf_counter() - begun
    database.close()
    assert result.ok, result
    print(seconds, result.rows)


if __name__ == "__main__":
    main()
