"""The break-glass spool: what a forced rotation writes down while the database is away.

One file of JSON lines, each chained to the one before and synced to the disk before anything is done outside. Whoever
has the file locked has every lease. It is merged into the trail, flagged, once the database is back (spool_merge.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from rotator.adapters.sql.database import moment
from rotator.adapters.sql.plain import build, plain
from rotator.domain.chain import GENESIS, canonical
from rotator.domain.changes import Changes
from rotator.domain.errors import ConfigError, InvariantBroken, LedgerUnavailable, Refused, Stale, Superseded
from rotator.domain.event import Event
from rotator.domain.facts import Facts
from rotator.domain.ids import sortable_id
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase, Word
from rotator.ports import Lease, Opening, Record
from rotator.saga.requests import opened, released, said, takes_over, word_event

TAG = b"rotator spool line v1\n"
Key = tuple[str, str]
Line = dict[str, Any]


@dataclass(slots=True)
class Consumer:
    """What the spool knows of one."""

    rotation_id: str = ""
    open_intents: list[str] = field(default_factory=list)
    publish_cas: int = -1
    escrow_cas: int = -1


@dataclass(slots=True)
class Told:
    """The state that the lines tell."""

    rotations: dict[str, Rotation] = field(default_factory=dict)
    consumers: dict[Key, Consumer] = field(default_factory=dict)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)  # event ids

    def lay(self, line: Line) -> Rotation:
        """One more line."""
        id_ = line["rotation_id"]
        before = plain(self.rotations[id_]) if id_ in self.rotations else {}
        row = self.rotations[id_] = build(Rotation, {**before, **line["set"]})
        known = self.consumers.setdefault((row.consumer.org_id, row.consumer.consumer_id), Consumer())
        known.rotation_id = id_
        if line["event"]["phase"] == Phase.INTENT:
            known.open_intents.append(line["event"]["step"])
        elif line["event"]["phase"] == Phase.OUTCOME:
            known.open_intents.clear()
        known.publish_cas = line.get("publish_cas", known.publish_cas)
        known.escrow_cas = line.get("escrow_cas", known.escrow_cas)
        self.facts.setdefault(row.consumer.org_id, {}).update(line.get("learned", {}))
        self.seen.add(line["event"]["id"])
        return row


def line_hash(line: Mapping[str, Any]) -> str:
    """SHA-256 over the tag, the hash before and the canonical JSON of all members but `hash`; hex."""
    body = canonical({name: value for name, value in line.items() if name != "hash"})
    return hashlib.sha256(TAG + str(line["prev_hash"]).encode() + body.encode()).hexdigest()


def read_lines(content: bytes) -> list[Line]:
    """The lines, with the chain looked at; a last one that was not ended was never acknowledged, and does not count.

    Raises InvariantBroken where a line was changed, added or taken out.
    """
    lines, previous = [], GENESIS
    for number, text in enumerate(content.split(b"\n")[:-1], 1):
        try:
            line = json.loads(text)
            good = line["n"] == number and line["prev_hash"] == previous and line_hash(line) == line["hash"]
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise InvariantBroken(f"line {number} of the break-glass spool is not as it was written",
                                  fix="keep the file, move it aside, and find out who changed it")  # fmt: skip
        lines.append(line)
        previous = line["hash"]
    return lines


class SpoolLedger:
    """The port `Ledger` over one file, for one process at a time; only forced rotations that say break-glass.

    Making one raises ConfigError for a file that cannot be used, LedgerUnavailable where another process has it.
    """

    def __init__(self, file: Path, now: Callable[[], datetime], stated: Mapping[str, str] | None = None) -> None:
        """`stated`: what the configuration says of the org's facts."""
        self.file, self._now, self._stated = file, now, stated or {}
        self._out = locked(file)
        content = file.read_bytes()
        lines = read_lines(content)
        os.ftruncate(self._out, content.rfind(b"\n") + 1)  # half a line, of a power cut
        self._number, self._last = len(lines), lines[-1]["hash"] if lines else GENESIS
        self.told, self._epochs = Told(), dict[Key, Lease]()
        for line in lines:
            self.told.lay(line)

    def close(self) -> None:
        """Gives the file to others."""
        os.close(self._out)

    # --- leases: the lock on the file is the lease on every consumer in it

    def claim(self, org_id: str, consumer_id: str, owner: str, seconds: float, *, seize: bool = False) -> Lease | None:
        """See the port."""
        before = self._epochs.get((org_id, consumer_id))
        if before is not None and before.owner not in ("", owner) and not seize:
            return None
        lease = Lease(org_id, consumer_id, owner, before.epoch + 1 if before else 1)
        self._epochs[org_id, consumer_id] = lease
        return lease

    def extend(self, lease: Lease, seconds: float) -> None:
        """See the port."""
        self._hold(lease)

    def yield_lease(self, lease: Lease) -> None:
        """See the port."""
        if self._epochs.get((lease.org_id, lease.consumer_id)) == lease:
            self._epochs[lease.org_id, lease.consumer_id] = replace(lease, owner="")

    def _hold(self, lease: Lease) -> None:
        if self._epochs.get((lease.org_id, lease.consumer_id)) != lease:
            raise Stale(f"the lease on consumer {lease.consumer_id} has gone to another worker")

    # --- the rotation

    def open(self, lease: Lease, opening: Opening) -> Rotation:
        """See the port. Raises LedgerUnavailable for anything but a force by break-glass."""
        self._hold(lease)
        last = self._rotation_of((lease.org_id, lease.consumer_id))
        if last is not None and (not last.ended or not takes_over(opening, last)):
            return last
        new = opened(opening, last, sortable_id(), self._now())
        if not new.force or not new.who.break_glass:
            raise LedgerUnavailable("the database is away, and only `force --break-glass` goes on without it")
        event = Event("force", Phase.DECISION, Outcome.OK, id=new.id)
        return self._write(new.id, event, new.who, plain(new))

    def read(self, org_id: str, consumer_id: str) -> Record:
        """See the port."""
        known = self.told.consumers.get((org_id, consumer_id), Consumer())
        facts = Facts(dict(self.told.facts.get(org_id, {}))).merged(self._stated)
        return Record(self.told.rotations.get(known.rotation_id), tuple(known.open_intents), known.publish_cas,
                      known.escrow_cas, facts, self._now())  # fmt: skip

    def commit(self, lease: Lease, seen: Rotation, event: Event, changes: Changes, *, publish_cas: int | None = None,
               escrow_cas: int | None = None, learned: Mapping[str, str] | None = None) -> Rotation:
        """See the port."""
        self._hold(lease)
        row = self._rotation_of((lease.org_id, lease.consumer_id))
        if row is None or row.id != seen.id:
            raise Superseded(f"rotation {seen.id} was superseded")
        if event.id in self.told.seen:
            return row
        ends = replace(row, **changes).ended and row.ended_at is None and changes.get("ended_at") is None
        dated: Changes = {**changes, "ended_at": self._now()} if ends else changes
        more = {"publish_cas": publish_cas, "escrow_cas": escrow_cas, "learned": dict(learned) if learned else None}
        return self._write(row.id, event, row.who, plain(dated), **{n: v for n, v in more.items() if v is not None})

    def ask_abandon(self, rotation_id: str, who: Who, *, now: bool = False) -> Rotation:
        """See the port: a force is not abandoned."""
        self._no()

    def ask_way(self, rotation_id: str, who: Who, seconds: float) -> Rotation:
        """See the port: nobody else works on this file."""
        return self.told.rotations[rotation_id]

    def release(self, rotation_id: str, who: Who, *, discard_foreign: str = "") -> Rotation:
        """See the port."""
        changes = released(self.told.rotations[rotation_id], discard_foreign=discard_foreign)
        return self._write(rotation_id, Event("release", Phase.DECISION, Outcome.OK), who, plain(changes))

    def say(self, rotation_id: str, who: Who, word: Word, key_fp: str = "") -> Rotation:
        """See the port."""
        row = self.told.rotations[rotation_id]
        changes = said(row, word, self._now())
        return row if changes is None else self._write(rotation_id, word_event(word, key_fp), who, plain(changes))

    def rotations(self, *, open_only: bool = True, app: str = "") -> tuple[Rotation, ...]:
        """See the port."""
        found = (row for row in self.told.rotations.values() if app in ("", row.app))
        return tuple(row for row in found if not (open_only and row.ended))

    def _no(self) -> NoReturn:
        raise Refused("a forced rotation cannot be abandoned", code="forced", fix="let it finish, or force again")

    def _rotation_of(self, key: Key) -> Rotation | None:
        known = self.told.consumers.get(key)
        return self.told.rotations.get(known.rotation_id) if known else None

    def _write(self, rotation_id: str, event: Event, who: Who, changes: Any, **more: object) -> Rotation:
        """One line, durable when this returns; what could not be written did not happen."""
        said = {"n": self._number + 1, "at": moment(self._now()), "rotation_id": rotation_id, "event": plain(event),
                "who": plain(who), "set": changes, "prev_hash": self._last, **more}  # fmt: skip
        line = {**said, "hash": line_hash(said)}
        end = os.fstat(self._out).st_size
        try:
            _all(self._out, (canonical(line) + "\n").encode())
            os.fsync(self._out)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._out, end)
            raise LedgerUnavailable(f"the break-glass spool takes no line: {error.strerror}",
                                    fix="free space on its disk, then run the command again") from None  # fmt: skip
        self._number, self._last = said["n"], line["hash"]
        return self.told.lay(line)


def locked(file: Path) -> int:
    """The file, open and locked by this process. Raises ConfigError, LedgerUnavailable where another has it."""
    try:
        out = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", fix="name a file that the rotator may write",
                          where="audit.spool") from None  # fmt: skip
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(out)
        raise LedgerUnavailable(f"another rotator works on {file}", fix="let it finish") from None
    return out


def _all(out: int, data: bytes) -> None:
    while data:
        data = data[os.write(out, data):]
