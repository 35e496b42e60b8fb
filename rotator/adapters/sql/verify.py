"""Reads the whole trail and finds the first row that is not as it was written.

The chain shows an edit, a deletion, a swap. A tail that was cut off with the head, or a whole other database, has a
perfect chain of its own: what shows those is an anchor, a row's number and hash that was kept elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.tables import audit_events, audit_head
from rotator.domain.chain import GENESIS, hash_in_order
from rotator.domain.tombstone import Tombstone, read_tombstone

PAGE = 2_000  # rows of one read: long enough to be fast, short enough to keep no old snapshot alive and memory flat
HASHED = sorted(column.name for column in audit_events.c if column.name != "hash")
SEQ, PREVIOUS = HASHED.index("seq"), HASHED.index("prev_hash")
_COLUMNS = ", ".join([*HASHED, "hash"])
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What a verification found. `first_bad_seq` is None where all is whole, else the first row that nothing vouches
    for any more; `anchored_to_seq` is the last row that an anchor confirms; `reason` says in words what is wrong."""

    ok: bool
    rows: int
    first_bad_seq: int | None = None
    anchored_to_seq: int | None = None
    reason: str = ""
    pruned_to: int = 0  # rows up to this one are gone, and the tombstone says so
    tombstone: Tombstone | None = None  # whose signature is looked at by whoever has the key


@dataclass(slots=True)
class _Walk:
    """The last good row, and the anchors that lie ahead: seq -> the hashes that were anchored for it."""

    anchors: Mapping[int, Sequence[str]]
    seq: int = 0
    hash: str = field(default=GENESIS)
    anchored: int | None = None
    begins: int = 0  # the rows before were pruned
    stone: Tombstone | None = None

    def bad(self, row: Row) -> VerifyResult | None:
        """What is wrong with the next row; None where it fits, and then it is the last good one."""
        said = row[-1]
        if row[SEQ] != self.seq + 1 or row[PREVIOUS] != self.hash or _hash(row[:-1], self.hash) != said:
            return self._broken(self.seq + 1, "the row was changed, moved, added or taken out")
        anchored = self.anchors.get(self.seq + 1, ())
        if any(hash_ != said for hash_ in anchored):
            return self._broken((self.anchored or 0) + 1, f"row {self.seq + 1} is not the one that was anchored")
        self.seq, self.hash = self.seq + 1, said
        self.anchored = self.seq if anchored else self.anchored
        return None

    def end(self, head: tuple[int, str] | None) -> VerifyResult:
        """After the last row: is it the last one that was ever written?"""
        if head != (self.seq, self.hash):
            return self._broken(self.seq + 1, "the head of the chain is another: rows at the end are gone")
        if any(seq > self.seq for seq in self.anchors):
            return self._broken(self.seq + 1, f"rows up to {max(self.anchors)} were anchored, and are gone")
        return VerifyResult(True, self.seq, None, self.anchored, "", self.begins, self.stone)

    def _broken(self, seq: int, reason: str) -> VerifyResult:
        return VerifyResult(False, seq - 1, seq, self.anchored, reason)


_hash = hash_in_order(HASHED)


def verify(
    database: Database,
    progress: Callable[[int], None] | None = None,
    anchors: Mapping[int, Sequence[str]] | None = None,
    page: int = PAGE,
) -> VerifyResult:
    """Reads the whole chain and stops at the first bad row; `progress` is told how many rows so far. `anchors`: for a
    seq the hashes that were anchored for it, of anchors whose signature was looked at before."""
    begins, hash_, stone = database.read(_beginning)
    walk = _Walk(anchors or {}, begins, hash_, None, begins, stone)
    if begins and (stone is None or any(one != hash_ for one in walk.anchors.get(begins, ()))):
        return VerifyResult(False, 0, 1, None, "the row was changed, moved, added or taken out, without a tombstone")
    while True:
        rows, head = database.read(partial(_page_and_head, after=walk.seq, page=page))
        for row in rows:
            bad = walk.bad(row)
            if bad is not None:
                return bad
        if progress:
            progress(walk.seq)
        if len(rows) < page:
            return walk.end(head)


def _beginning(connection: Connection) -> tuple[int, str, Tombstone | None]:
    """What the oldest row follows: its seq and hash, and the tombstone that tells of them. The tombstone is a row of
    the chain like any other: the walk will come to it."""
    oldest = select(audit_events.c.seq, audit_events.c.prev_hash).order_by(audit_events.c.seq).limit(1)
    row = connection.execute(oldest).first()
    if row is None or row.seq <= 1:
        return 0, GENESIS, None
    stones = select(audit_events.c.evidence).where(audit_events.c.step == "prune", audit_events.c.outcome == "ok")
    found = (read_tombstone(json.loads(evidence)) for (evidence,) in connection.execute(stones))
    fits = (one for one in found if one is not None and (one.to, one.last_hash) == (row.seq - 1, row.prev_hash))
    return row.seq - 1, row.prev_hash, next(fits, None)


def hash_at(database: Database, seq: int) -> str:
    """The hash of this row; "" where there is none."""
    chosen = select(audit_events.c.hash).where(audit_events.c.seq == seq)
    return database.read(lambda connection: str(connection.execute(chosen).scalar() or ""))


def head(database: Database) -> tuple[int, str]:
    """The last row's seq and hash; 0 and zeros where the trail is empty."""

    def work(connection: Connection) -> tuple[int, str]:
        return _head(connection) or (0, GENESIS)

    return database.read(work)


def _head(connection: Connection) -> tuple[int, str] | None:
    found = connection.execute(select(audit_head.c.seq, audit_head.c.hash)).first()
    return (found.seq, found.hash) if found else None


def _page_and_head(connection: Connection, after: int, page: int) -> tuple[Sequence[Row], tuple[int, str] | None]:
    """Both from one snapshot: rows that are appended meanwhile are in neither."""
    # Plain text: what SQLAlchemy does for each value of a typed statement costs as much as the hash.
    wanted = f"WHERE seq > {after:d} ORDER BY seq LIMIT {page:d}"
    statement = f"SELECT {_COLUMNS} FROM audit_events {wanted}"  # noqa: S608 - our own columns, and two numbers
    return connection.exec_driver_sql(statement).fetchall(), _head(connection)
