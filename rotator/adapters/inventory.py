"""The union of what an org's listings name, kept in a temporary file: it takes the same memory for ten apps and for
twenty thousand. The file has no name, lies in the system's temporary folder, holds no secret and ends with its reader.

Which mention belongs to which app: by its id, else by its developer name, and by its label only where just one app has
it (reference 12). Labels are all that tokens and logins may tell.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rotator.domain.inventory import AppKind, Known, Mention, Source, Standing

_TABLES = """
CREATE TABLE apps (number INTEGER PRIMARY KEY, kind TEXT, id TEXT, short TEXT, name TEXT COLLATE NOCASE,
                   label TEXT COLLATE NOCASE, namespace TEXT, run_as TEXT, holder TEXT, used TEXT, sources INTEGER);
CREATE INDEX by_id ON apps (short); CREATE INDEX by_name ON apps (name); CREATE INDEX by_label ON apps (label);
CREATE INDEX by_user ON apps (run_as);
CREATE TABLE told (standing INTEGER, name TEXT, text TEXT);
"""
_BITS = {source: 1 << number for number, source in enumerate(Source)}
_ORDER = {standing: number for number, standing in enumerate(Standing)}
_CACHE_KB = 4096


class Inventory:
    """One org's apps, merged as they are told. One thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.doubtful = 0  # mentions by a label that several apps have: they are nobody's

    def add(self, mention: Mention) -> None:
        """Lays a mention over the app that it names, or makes one."""
        found = self._of(mention)
        if len(found) > 1:
            self.doubtful += 1
        elif found:
            self._lay(found[0], mention)
        elif mention.alone and (mention.app_id or mention.name or mention.label):
            self._make(mention)

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM apps").fetchone()[0])

    def named(self, app: str, kind: AppKind) -> tuple[int, ...]:
        """The apps that a name of the configuration may mean: an id, or a developer name."""
        by_id = self._db.execute("SELECT number FROM apps WHERE short = ?", (app[:15],)).fetchall()
        names = "SELECT number FROM apps WHERE name = ? AND kind = ?"
        found = by_id or self._db.execute(names, (app, kind.value)).fetchall()
        return tuple(number for (number,) in found)

    def sharing(self, run_as: str) -> tuple[str, ...]:
        """The apps that run as this user, by label or name."""
        found = self._db.execute("SELECT coalesce(nullif(name, ''), label) FROM apps WHERE run_as = ?", (run_as,))
        return tuple(name for (name,) in found)

    def apps(self, first: frozenset[int]) -> Iterator[Known]:
        """All apps, by name; those of these numbers first."""
        for number in sorted(first):
            yield from self._known("WHERE number = ?", number)
        for one in self._known("ORDER BY name, label, number"):
            if one.number not in first:
                yield one

    def keep(self, standing: Standing, name: str, text: str) -> None:
        """Keeps what is to be told of an app until all are looked at."""
        self._db.execute("INSERT INTO told VALUES (?, ?, ?)", (_ORDER[standing], name, text))

    def kept(self) -> Iterator[str]:
        """What was kept, the pressing first."""
        yield from (text for (text,) in self._db.execute("SELECT text FROM told ORDER BY standing, name, rowid"))

    # --- one mention

    def _of(self, mention: Mention) -> list[tuple[int, str]]:
        """The apps it may mean: number and id."""
        chosen = "SELECT number, id FROM apps WHERE"
        if mention.app_id:
            found = self._db.execute(f"{chosen} short = ?", (mention.app_id[:15],)).fetchall()
            return found or self._by_name(mention, f"{chosen} id = '' AND")
        if mention.name:
            return self._by_name(mention, chosen) or self._by_old_label(mention)
        labelled = self._db.execute(f"{chosen} label = ?", (mention.label,)).fetchall()
        return labelled if labelled else self._db.execute(f"{chosen} name = ?", (mention.label,)).fetchall()

    def _by_name(self, mention: Mention, chosen: str) -> list[tuple[int, str]]:
        named = (mention.name, mention.kind.value, mention.namespace)
        return self._db.execute(f"{chosen} name = ? AND kind = ?"
                                " AND (namespace IS NULL OR ?3 IS NULL OR namespace = ?3)", named).fetchall()

    def _by_old_label(self, mention: Mention) -> list[tuple[int, str]]:
        """A classic app's listing tells no developer name, which is made of the label when the app is."""
        if mention.kind is not AppKind.CLASSIC:
            return []
        chosen = "SELECT number, id FROM apps WHERE kind = ? AND name = '' AND replace(label, ' ', '_') = ?"
        found = self._db.execute(f"{chosen} COLLATE NOCASE", (mention.kind.value, mention.name)).fetchall()
        return found if len(found) == 1 else []

    def _make(self, mention: Mention) -> None:
        run_as, holder = _users(mention)
        row = (mention.kind.value, mention.app_id, mention.app_id[:15], mention.name, mention.label, mention.namespace,
               run_as, holder, _text(mention.used), _BITS[mention.source])
        self._db.execute(f"INSERT INTO apps VALUES (NULL{', ?' * len(row)})", row)  # noqa: S608 - question marks

    def _lay(self, found: tuple[int, str], mention: Mention) -> None:
        """What is known stays; the later use wins."""
        run_as, holder = _users(mention)
        self._db.execute(
            "UPDATE apps SET id = coalesce(nullif(id, ''), ?), short = coalesce(nullif(short, ''), ?),"
            " name = coalesce(nullif(name, ''), ?), label = coalesce(nullif(label, ''), ?),"
            " namespace = coalesce(namespace, ?), run_as = coalesce(nullif(run_as, ''), ?),"
            " holder = coalesce(nullif(holder, ''), ?), used = max(used, ?), sources = sources | ?,"
            " kind = CASE kind WHEN 'unknown' THEN ? ELSE kind END WHERE number = ?",
            (mention.app_id, mention.app_id[:15], mention.name, mention.label, mention.namespace, run_as, holder,
             _text(mention.used), _BITS[mention.source], mention.kind.value, found[0]),
        )  # fmt: skip

    def _known(self, more: str, *values: object) -> Iterator[Known]:
        columns = "number, kind, id, name, label, namespace, run_as, holder, used, sources"
        for row in self._db.execute(f"SELECT {columns} FROM apps {more}", values):  # noqa: S608 - constants
            yield _app(row)


def _users(mention: Mention) -> tuple[str, str]:
    """Whom the flow runs as, and who holds a token: one of them is empty."""
    return (mention.user, "") if mention.source is Source.POLICIES else ("", mention.user)


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _app(row: Any) -> Known:
    number, kind, app_id, name, label, namespace, run_as, holder, used, bits = row
    sources = tuple(source for source, bit in _BITS.items() if bits & bit)
    return Known(number, AppKind(kind), app_id, name, label, namespace, run_as, holder,
                 datetime.fromisoformat(used) if used else None, sources)  # fmt: skip


@contextmanager
def opened() -> Iterator[Inventory]:
    """An empty inventory, gone afterwards."""
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        yield Inventory(connection)
    finally:
        connection.close()
