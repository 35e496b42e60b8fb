"""Rotations in words, from the documents that programs get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rotator.domain.words import CLAIMS, ENDED, State
from rotator.log_words import clean

Row = Mapping[str, Any]
RESTING = (*ENDED, State.HELD, State.UNPROVEN, State.WAITING)


def ending(row: Row) -> Iterator[str]:
    """What a command says of a rotation when it leaves it."""
    state = State(row["state"])
    yield f"{row['app']}: {headline(row)}"
    if state is State.DONE or (row["new_key_fp"] and state not in ENDED):
        version = f", {row['vault_path']} version {row['vault_version']}" if row["vault_version"] else ""
        yield f"  old {row['old_key_fp'] or 'none'}, new {row['new_key_fp']}{version}"
    claims = row["claims"]
    if set(claims.values()) - {"unknown", "not_asked"} or state is State.UNPROVEN:
        yield "  " + ", ".join(f"{name} {claims[name]}" for name in CLAIMS)
    if row["message"]:
        yield f"  {clean(row['message'])}"
    if row["fix"]:
        yield f"  fix: {clean(row['fix'])}"
    elif state not in RESTING and row["exit"]:
        yield f"  not finished: run the same command again, it resumes rotation {row['rotation_id']}"


def headline(row: Row) -> str:
    """Its state in one line."""
    told = {
        State.DONE: "rotated, and proven",
        State.OVERLAP: f"the new pair is live; the old one stays valid until {clock(row['overlap_until'])}",
        State.HELD: f"held at {row['step']}: a human is needed",
        State.UNPROVEN: f"rotated, but not proven; looks again at {clock(row['next_at'])}",
        State.WAITING: f"waiting at {row['step']}; tries again at {clock(row['next_at'])}",
        State.ABANDONED: "abandoned; everything is as it was",
        State.FAILED: "failed; everything is as it was",
    }
    return told.get(State(row["state"])) or parked(row)


def parked(row: Row) -> str:
    """A running rotation, and until when it waits."""
    return f"at {row['step']}, until {clock(row['next_at'])}" if row["next_at"] else f"at {row['step']}"


def clock(moment: datetime | str | None) -> str:
    """A time for people: UTC, to the second."""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if found else "-"
