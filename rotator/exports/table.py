"""CSV (RFC 4180, UTF-8) for a spreadsheet, which must not take a text of a stranger for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from rotator.exports.about import Row

# What a spreadsheet may take for the beginning of a formula, full-width forms included (OWASP, CSV Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A line with the names, then a line per row; null is an empty cell."""
    yield _line(columns)
    for row in rows:
        yield _line([cell(row[name]) for name in columns])


def cell(value: object) -> str:
    """A value as a cell; what might be a formula gets an apostrophe before it, which a spreadsheet takes for text."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.lstrip(" \xa0").startswith(_FORMULA) else text


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
