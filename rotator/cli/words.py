"""Rotations in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rotator.domain.pair import fingerprint
from rotator.domain.rotation import Rotation
from rotator.domain.words import CLAIMS, State
from rotator.log_words import clean
from rotator.wiring.errand import Until, rests

RESUME = "goes on by itself, or at once with `rotator rotate {app}`"


def ending(row: Rotation, until: Until) -> Iterator[str]:
    """What a command says of a rotation when it leaves it."""
    yield f"{row.app}: {headline(row)}"
    if row.state is State.DONE or (row.new_key and not row.ended):
        old = fingerprint(row.old_keys[0]) if row.old_keys else "none"
        version = f", {row.target.path} version {row.published_version}" if row.published_version else ""
        yield f"  old {old}, new {fingerprint(row.new_key)}{version}"
    if row.claims:
        yield "  " + ", ".join(f"{name} {row.claims[name]}" for name in CLAIMS if name in row.claims)
    if row.message:
        yield f"  {clean(row.message)}"
    if row.fix:
        yield f"  fix: {clean(row.fix)}"
    elif not rests(row, until):
        yield f"  not finished: run the same command again, it resumes rotation {row.id}"


def headline(row: Rotation) -> str:
    """Its state in one line."""
    told = {
        State.DONE: "rotated, and proven",
        State.OVERLAP: f"the new pair is live; the old one stays valid until {clock(row.overlap_until)}",
        State.HELD: f"held at {row.step}: a human is needed",
        State.UNPROVEN: f"rotated, but not proven; looks again at {clock(row.next_at)}",
        State.WAITING: f"waiting at {row.step}; tries again at {clock(row.next_at)}",
        State.ABANDONED: "abandoned; everything is as it was",
        State.FAILED: "failed; everything is as it was",
    }
    return told.get(row.state) or parked(row)


def parked(row: Rotation) -> str:
    """A running rotation, and until when it waits."""
    return f"at {row.step}, until {clock(row.next_at)}" if row.next_at else f"at {row.step}"


def clock(moment: datetime | None) -> str:
    """A time for people: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if moment else "-"
