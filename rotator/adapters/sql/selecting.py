"""Rows of the trail as they are stored, chosen and read page by page: for exports, which must keep memory flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnClause, ColumnElement, Connection, literal_column, select

from rotator.adapters.sql.database import Database, moment
from rotator.adapters.sql.tables import audit_events
from rotator.domain.chain import GENESIS

PAGE = 2_000  # as in audit.history
NAMES = tuple(sorted(column.name for column in audit_events.c))  # the order of canonical JSON
# Without a type: what SQLAlchemy does for each value of a typed column costs as much as the rest of an export.
_COLUMNS: tuple[ColumnClause[Any], ...] = tuple(literal_column(name) for name in NAMES)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows; what is empty or None chooses nothing away. `since` is in, `until` is out."""

    app: str = ""
    org: str = ""
    rotation_id: str = ""
    step: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def told(self) -> dict[str, str]:
        """What was chosen, in words: empty for the whole trail."""
        given = {name: value for name, value in asdict(self).items() if value}
        return {name: moment(value) if isinstance(value, datetime) else str(value) for name, value in given.items()}

    def where(self) -> list[ColumnElement[bool]]:
        """The same for a statement."""
        equal = {"app": self.app, "org": self.org, "rotation_id": self.rotation_id, "step": self.step}
        chosen = [audit_events.c[name] == value for name, value in equal.items() if value]
        chosen += [audit_events.c.ts >= moment(self.since)] if self.since else []
        return chosen + ([audit_events.c.ts < moment(self.until)] if self.until else [])


def stored(database: Database, chosen: Selection, upto: int, page: int = PAGE) -> Iterator[dict[str, Any]]:
    """The rows up to the seq `upto`, ascending, every column as it is stored, the names in alphabetical order."""
    after = 0
    while True:
        rows = database.read(partial(_page, chosen=chosen, after=after, upto=upto, page=page))
        yield from rows
        if len(rows) < page:
            return
        after = rows[-1]["seq"]


def before_first(database: Database) -> tuple[int, str]:
    """The seq and hash that the oldest row follows: 0 and zeros, unless older rows were pruned."""
    oldest = select(audit_events.c.seq, audit_events.c.prev_hash).order_by(audit_events.c.seq).limit(1)
    found = database.read(lambda connection: connection.execute(oldest).first())
    return (found.seq - 1, found.prev_hash) if found else (0, GENESIS)


def _page(connection: Connection, chosen: Selection, after: int, upto: int, page: int) -> list[dict[str, Any]]:
    bounds = (audit_events.c.seq > after, audit_events.c.seq <= upto)
    statement = select(*_COLUMNS).select_from(audit_events).where(*bounds, *chosen.where())
    found = connection.execute(statement.order_by(audit_events.c.seq).limit(page))
    return [dict(zip(NAMES, row, strict=True)) for row in found]
