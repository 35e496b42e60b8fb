"""A report: rows under named columns, a few figures, and pictures where they help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Cells = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Bar:
    """A length against a limit, both in the same unit; `limit` 0: there is none."""

    label: str
    value: float
    limit: float
    words: str
    bad: bool


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when; `end` None: it still goes on."""

    label: str
    start: datetime
    end: datetime | None
    bad: bool


@dataclass(frozen=True, slots=True)
class Report:
    """`columns`: the member of a row -> its title for people; `bad`: the member that says in what a row fails, and
    whose value is then not empty."""

    name: str
    title: str
    about: str  # one sentence: what it tells, and from where
    at: datetime
    columns: Mapping[str, str]
    rows: tuple[Cells, ...]
    figures: Mapping[str, object]
    org: str = ""
    since: datetime | None = None
    bars: tuple[Bar, ...] = ()
    spans: tuple[Span, ...] = field(default=())

    def document(self) -> dict[str, object]:
        """For programs."""
        return {"report": self.name, "at": plain(self.at), "org": self.org or None, "since": plain(self.since),
                "figures": {name: plain(value) for name, value in self.figures.items()},
                "rows": [{name: plain(row.get(name)) for name in self.columns} for row in self.rows]}  # fmt: skip

    def table(self) -> list[list[str]]:
        """For people: the titles, then the rows."""
        return [list(self.columns.values()), *([words(row.get(name)) for name in self.columns] for row in self.rows)]


def plain(value: object) -> object:
    """As JSON: times as RFC 3339, durations as seconds, what is empty as null."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return round(value.total_seconds()) if isinstance(value, timedelta) else None if value == "" else value


def words(value: object) -> str:
    """As text: a time to the minute, a duration in days or hours, what is absent as `-`."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    if isinstance(value, timedelta):
        return lasting(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in (None, "") else str(value)


def lasting(value: timedelta) -> str:
    """A duration in its two largest units."""
    seconds = round(value.total_seconds())
    for size, unit, small, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{seconds} s"
