"""State beside the rotations, as the trail tells it: pauses, legal holds, the pins of orgs, facts seen by rotations.

What calibrate found stays as it is: its row in the trail is a signed profile, not the rows of the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from rotator.adapters.sql.tables import legal_holds, org_facts, orgs, pauses

Row = dict[str, Any]
Rows = dict[tuple[str, ...], Row]
KEYS = {pauses: ("scope", "name"), legal_holds: ("scope", "name"), orgs: ("name",), org_facts: ("org_id", "fact")}
CALIBRATED = "calibrate on "  # how such a fact was seen


@dataclass(slots=True)
class Beside:
    """The rows of each table by their keys, laid one over the other."""

    told: dict[Table, Rows] = field(default_factory=lambda: {table: {} for table in KEYS})

    def lay(self, row: Mapping[str, Any]) -> None:
        """One more row of the trail; most say nothing of this."""
        evidence, since = row["evidence"], row["ts"]
        said = {"actor": row["actor"], "reason": row["reason"] or "", "since": since}
        if row["step"] in ("pause", "resume") and "scope" in evidence:
            self._put(pauses, {**_named(evidence), **said, "until": evidence["until"]}, gone=row["step"] == "resume")
        elif row["step"] == "legal_hold":
            told = {**_named(evidence), **said, "ticket": row["ticket"] or ""}
            self._put(legal_holds, told, gone=evidence["released"])
        elif row["step"] == "check" and "pinned_org_id" in evidence:
            self._put(orgs, {"name": row["org"], "org_id": evidence["pinned_org_id"], "pinned_at": since})

    def learned(self, org_id: str, row: Mapping[str, Any]) -> None:
        """What a step of a rotation saw of its org."""
        how = f"{row['step']} of rotation {row['rotation_id']}"
        for fact, value in row["evidence"].get("learned", {}).items():
            self._put(org_facts, {"org_id": org_id, "fact": fact, "value": value, "seen_at": row["ts"], "how": how})

    def _put(self, table: Table, row: Row, *, gone: bool = False) -> None:
        key = _key(table, row)
        if gone:
            self.told[table].pop(key, None)
        else:
            self.told[table][key] = row


def _named(evidence: Mapping[str, Any]) -> Row:
    return {"scope": evidence["scope"], "name": evidence["name"]}


def _key(table: Table, row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in KEYS[table])


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not as the trail says; `wanted` None: the trail knows nothing of it."""

    table: Table
    key: tuple[str, ...]
    wanted: Row | None

    def __str__(self) -> str:
        return f"{self.table.name} {' '.join(filter(None, self.key))}"


def differences(connection: Connection, beside: Beside, now: str, *, cut: bool) -> list[Difference]:
    """What differs. `now`: a pause that has ended by itself is none. `cut`: rows of the trail were pruned, so what it
    does not know may be true."""
    return [one for table in KEYS for one in _of(connection, table, beside.told[table], now, cut=cut)]


def _of(connection: Connection, table: Table, told: Rows, now: str, *, cut: bool) -> Iterator[Difference]:
    rows = [dict(row._mapping) for row in connection.execute(select(table))]
    live = {_key(table, row): row for row in rows if not _over(row, now)}
    for key, row in told.items():
        there = live.get(key)
        if there != row and not _over(row, now) and not (there and there.get("how", "").startswith(CALIBRATED)):
            yield Difference(table, key, row)
    if not cut and table is not org_facts:
        yield from (Difference(table, key, None) for key in live.keys() - told.keys())


def _over(row: Row, now: str) -> bool:
    return row.get("until") is not None and row["until"] <= now


def put_right(connection: Connection, found: list[Difference]) -> None:
    """Makes each such row what the trail says."""
    for one in found:
        mine = (one.table.c[name] == value for name, value in zip(KEYS[one.table], one.key, strict=True))
        connection.execute(delete(one.table).where(*mine))
        if one.wanted is not None:
            connection.execute(insert(one.table), one.wanted)
