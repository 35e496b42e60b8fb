"""Exports for the tests: made as the command makes them, and read as an auditor reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.selecting import Selection, before_first, stored
from rotator.adapters.sql.verify import head
from rotator.exports import jsonl
from rotator.exports.about import About, Link
from rotator.exports.jsonl import Sign

WHOLE = Selection()


def rows(database: Database, chosen: Selection = WHOLE, page: int = 3) -> Iterator[dict[str, Any]]:
    """The stored rows, in small pages."""
    return stored(database, chosen, head(database)[0], page)


def exported(database: Database, chosen: Selection = WHOLE, sign: Sign | None = None) -> list[str]:
    """The lines of a JSON Lines export."""
    end = Link(*head(database))
    about = About("2026-11-24T09:00:00Z", "host-1", "0.1.0", chosen.told, Link(*before_first(database)), end)
    return list(jsonl.lines(about, rows(database, chosen), sign, "key" if sign else ""))
