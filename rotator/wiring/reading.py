"""Rows of the trail that no rotation writes: another configuration, a reading of the trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rotator.adapters.sql.verify import VerifyResult
from rotator.config.durations import parse_duration
from rotator.domain.anchor import by_seq
from rotator.domain.errors import LedgerUnavailable, Unintelligible, UsageError
from rotator.domain.event import Event
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase
from rotator.wiring.anchoring import known_anchors, public_key
from rotator.wiring.asking import who
from rotator.wiring.connections import Connections


def note_config(connections: Connections, env: Mapping[str, str]) -> None:
    """A row where another configuration than the last row's is at work."""
    if connections.trail.last_config() != connections.loaded.hash:
        files = [str(file) for file in connections.loaded.files]
        event = Event("config", Phase.OBSERVE, Outcome.OK, evidence={"files": files, "hash": connections.loaded.hash})
        connections.trail.record(event, who(env))


def read_trail(connections: Connections, env: Mapping[str, str], app: str | None,
               since: datetime | None) -> Iterator[dict[str, Any]]:
    """The rows of the trail, ascending; the row that says who read them stands at the end of the next reading."""
    rows = list(connections.trail.history(app, since))
    note(connections, who(env), {"read": "history", "app": app, "rows": len(rows)})
    return iter(rows)


def verify_trail(connections: Connections, env: Mapping[str, str], progress: Callable[[int], None] | None,
                 files: Sequence[Path] = (), key_file: Path | None = None) -> VerifyResult:
    """Reads the whole chain and holds it to the anchors: those of the files, else those of the configuration's folders;
    signed by the key of this file, else by the configured one. A broken trail is not written to."""
    found = whole(connections, progress, files, key_file)
    if found.ok:
        note(connections, who(env), {"read": "audit verify", "rows": found.rows})
    return found


def whole(connections: Connections, progress: Callable[[int], None] | None = None, files: Sequence[Path] = (),
          key_file: Path | None = None) -> VerifyResult:
    """The same without a row in the trail. With a key, the tombstone of a pruned trail must be signed by it too."""
    wrong, anchors, public = "", [], public_key(connections, key_file)
    try:
        anchors = known_anchors(connections, files, public)
    except Unintelligible as error:
        wrong = error.message
    found = connections.trail.verify_chain(progress, by_seq(anchors))
    stone = found.tombstone
    if found.ok and public is not None and stone is not None and not public.made(stone.signature, stone.body):
        wrong = f"the tombstone of the rows up to {stone.to} is not signed by key {public.id}"
    return replace(found, ok=False, reason=wrong) if found.ok and wrong else found


def note(connections: Connections, reader: Who, evidence: Mapping[str, object]) -> None:
    """A row that says who read what; a reading does not fail for it."""
    event = Event("read", Phase.OBSERVE, Outcome.OK, evidence=evidence)
    with suppress(LedgerUnavailable):
        connections.trail.record(event, reader)


def moment(written: str, now: datetime, option: str = "--since") -> datetime:
    """A time, or a duration before `now`, given as this option. A time without a zone is UTC. Raises UsageError."""
    try:
        return now - parse_duration(written)
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} takes a time such as 2026-11-24T09:00:00Z, or a duration such as 24h",
                         fix=f"{option} 24h") from None
