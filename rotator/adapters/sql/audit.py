"""The audit trail: appends rows to one chain inside the caller's transaction, and reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.plain import clean, plain
from rotator.adapters.sql.tables import audit_events, audit_head
from rotator.adapters.sql.verify import VerifyResult, verify
from rotator.domain.chain import canonical, row_hash
from rotator.domain.event import Event
from rotator.domain.pair import fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase

COLUMNS = tuple(column.name for column in audit_events.c)
PAGE = 2_000  # rows of one read: long enough to be fast, short enough to keep no old snapshot alive


@dataclass(frozen=True, slots=True)
class Context:
    """What this process says of itself in every audit row: host name, version of rotator, hash of the configuration."""

    host: str
    version: str
    config_hash: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What an audit row is about; everything may be absent."""

    rotation_id: str = ""
    trigger: str = ""
    org: str = ""
    app: str = ""
    old_key: str = ""
    new_key: str = ""
    vault_path: str = ""

    @classmethod
    def of(cls, rotation: Rotation, before: Rotation | None = None) -> Subject:
        """About this rotation; a new pair that was just discarded is still named."""
        return cls(
            rotation_id=rotation.id,
            trigger=rotation.trigger,
            org=rotation.org,
            app=rotation.app,
            old_key=rotation.old_keys[0] if rotation.old_keys else "",
            new_key=rotation.new_key or (before.new_key if before else ""),
            vault_path=rotation.target.path,
        )


def append(connection: Connection, now: datetime, context: Context, who: Who, subject: Subject, event: Event) -> int:
    """Appends one row, with the head of the chain locked until the transaction ends. Gives its seq."""
    head = connection.execute(select(audit_head.c.seq, audit_head.c.hash).with_for_update()).one()
    seq = head.seq + 1
    row = {
        "seq": seq,
        "event_id": event.id,
        "ts": moment(now),
        **_about(who, subject),
        **_what(_told_by(who, event), _attempt(connection, subject.rotation_id, event)),
        "host": clean(context.host),
        "version": context.version,
        "config_hash": context.config_hash,
        "prev_hash": head.hash,
    }
    row["hash"] = row_hash(row)
    connection.execute(insert(audit_events), row)
    connection.execute(update(audit_head).values(seq=seq, hash=row["hash"]))
    return int(seq)


def _about(who: Who, subject: Subject) -> dict[str, Any]:
    texts = {
        "rotation_id": subject.rotation_id,
        "trigger": subject.trigger,
        "origin": who.origin,
        "approver": who.approver,
        "reason": who.reason,
        "ticket": who.ticket,
        "org": subject.org,
        "app": subject.app,
        "old_key_fp": fingerprint(subject.old_key),
        "new_key_fp": fingerprint(subject.new_key),
        "vault_path": subject.vault_path,
    }
    told = {name: clean(str(text)) or None for name, text in texts.items()}  # absent is null
    return {**told, "actor": clean(who.actor), "break_glass": int(who.break_glass)}


def _what(event: Event, attempt: int) -> dict[str, Any]:
    intent = event.phase is Phase.INTENT
    return {
        "step": event.step,
        "attempt": attempt,
        "phase": event.phase.value,
        "outcome": None if intent else (event.outcome or Outcome.OK).value,
        "error": clean(event.error) or None,
        "http_status": event.http_status,
        "remote_request_id": clean(event.request_id) or None,
        "vault_version": event.vault_version,
        "duration_ms": event.duration_ms,
        "evidence": canonical(plain(event.evidence)),
    }


def _told_by(who: Who, event: Event) -> Event:
    """The event with the actor's user id, where he has one here: a login name may be given to another later."""
    return event if who.uid is None else replace(event, evidence={"uid": who.uid, **event.evidence})


def _attempt(connection: Connection, rotation_id: str, event: Event) -> int:
    """How many intents of this step the rotation had, this one included; a step without intents counts its rows."""
    if not rotation_id:
        return 1
    counting = (
        select(audit_events.c.phase, func.count())
        .where(audit_events.c.rotation_id == rotation_id, audit_events.c.step == event.step)
        .group_by(audit_events.c.phase)
    )
    counted: dict[str, int] = {phase: count for phase, count in connection.execute(counting)}
    intents = counted.get(Phase.INTENT, 0)
    if event.phase is Phase.INTENT:
        return intents + 1
    return intents or sum(counted.values()) + 1


@dataclass(frozen=True, slots=True)
class Trail:
    """The audit trail as the commands see it."""

    database: Database
    context: Context

    def record(self, event: Event, who: Who, *, org: str = "", app: str = "", rotation_id: str = "") -> int:
        """A row of its own (configuration, checks, refused commands). Gives its seq; a repeat adds nothing."""

        def work(connection: Connection) -> int:
            known = seq_of(connection, event.id)
            if known is not None:
                return known
            subject = Subject(org=org, app=app, rotation_id=rotation_id)
            return append(connection, self.database.now(connection), self.context, who, subject, event)

        return self.database.write(work)

    def history(
        self, app: str | None = None, since: datetime | None = None, rotation_id: str | None = None, after: int = 0
    ) -> Iterator[dict[str, Any]]:
        """The rows behind the seq `after`, every column, ascending seq; as in JSON: `evidence` an object,
        `break_glass` a boolean."""
        return history(self.database, app, since, rotation_id, after)

    def known(self, event_id: str) -> bool:
        """Whether a row with this event id was committed."""
        return self.database.read(lambda connection: seq_of(connection, event_id) is not None)

    def last(self, step: str) -> datetime | None:
        """When the last row of this step that belongs to no rotation was written with outcome `ok`."""
        mine = (audit_events.c.rotation_id.is_(None), audit_events.c.step == step, audit_events.c.outcome == Outcome.OK)
        newest = select(audit_events.c.ts).where(*mine).order_by(audit_events.c.seq.desc()).limit(1)
        found = self.database.read(lambda connection: connection.execute(newest).scalar())
        return None if found is None else instant(str(found))

    def last_config(self) -> str:
        """The hash of the configuration that wrote the newest row; "" where there is none."""
        newest = select(audit_events.c.config_hash).order_by(audit_events.c.seq.desc()).limit(1)
        return self.database.read(lambda connection: str(connection.execute(newest).scalar() or ""))


    def verify_chain(
        self, progress: Callable[[int], None] | None = None, anchors: Mapping[int, Sequence[str]] | None = None
    ) -> VerifyResult:
        """See `verify.verify`."""
        return verify(self.database, progress, anchors)


def history(
    database: Database,
    app: str | None = None,
    since: datetime | None = None,
    rotation_id: str | None = None,
    after: int = 0,
    page: int = PAGE,
) -> Iterator[dict[str, Any]]:
    """See Trail.history."""
    where = [audit_events.c.app == app] if app is not None else []
    where += [audit_events.c.ts >= moment(since)] if since is not None else []
    where += [audit_events.c.rotation_id == rotation_id] if rotation_id is not None else []
    while True:
        rows = database.read(partial(_page, after=after, page=page, where=where))
        yield from ({**row, **_readable(row)} for row in rows)
        if len(rows) < page:
            return
        after = rows[-1]["seq"]


def seq_of(connection: Connection, event_id: str) -> int | None:
    """The seq of the row with this event id; None where it was never committed."""
    found = connection.execute(select(audit_events.c.seq).where(audit_events.c.event_id == event_id)).scalar()
    return None if found is None else int(found)


def _page(connection: Connection, after: int, page: int, where: Sequence[Any] = ()) -> list[dict[str, Any]]:
    chosen = select(audit_events).where(audit_events.c.seq > after, *where).order_by(audit_events.c.seq).limit(page)
    return [dict(zip(COLUMNS, row, strict=True)) for row in connection.execute(chosen)]


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"evidence": json.loads(row["evidence"]), "break_glass": bool(row["break_glass"])}
