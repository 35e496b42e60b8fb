"""What an export says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A row of the chain: its number and its hash."""

    seq: int
    hash: str

    @property
    def members(self) -> dict[str, object]:
        return {"seq": self.seq, "hash": self.hash}


@dataclass(frozen=True, slots=True)
class About:
    """`after`: the row that the trail's oldest row follows (seq 0 and zeros, unless it was pruned); `head`: the end of
    the trail when the export began; `filter`: what was chosen, empty for the whole trail."""

    at: str  # the database's clock, RFC 3339
    host: str
    version: str
    filter: Mapping[str, str]
    after: Link
    head: Link

    @property
    def members(self) -> dict[str, object]:
        """The first line."""
        return {"at": self.at, "host": self.host, "version": self.version, "filter": dict(self.filter),
                "complete": not self.filter, "after": self.after.members, "head": self.head.members}  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """`sha256` of every byte before the last line."""

    rows: int
    head: Link
    sha256: str
    key_id: str

    @property
    def members(self) -> dict[str, object]:
        """The last line, without its signature."""
        return {"rows": self.rows, "head": self.head.members, "sha256": self.sha256, "key_id": self.key_id}
