"""What a human is told, and which change of a rotation's row says it (docs/notify.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rotator.domain.ids import sortable_id
from rotator.domain.rotation import Rotation
from rotator.domain.words import State


class Topic(StrEnum):
    """What a notice is about; a channel names those that it is told."""

    HELD = "held"
    UNPROVEN = "unproven"
    FAILED = "failed"
    OVERDUE = "overdue"
    FORCE = "force"  # a forced rotation is under way
    DRIFT = "drift"
    FAILING = "failing"  # the daemon cannot work: on an app, on an org, or at all
    HOOK = "hook"  # a hook failed
    APPROVAL = "approval"  # a second person is needed: to approve a force, or to review one that was forced alone
    PUBLISHED = "published"  # a new pair is live
    TEST = "test"


class Status(StrEnum):
    """Whether the condition holds."""

    FIRING = "firing"
    RESOLVED = "resolved"
    ONCE = "once"  # no condition: it happened


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `key` names the condition: the same when it is told, told again and over. Never holds a secret."""

    topic: Topic
    status: Status
    key: str
    message: str = ""
    fix: str = ""  # the next action of whoever reads it
    reason: str = ""  # a code of docs/runbook.md
    app: str = ""
    org: str = ""
    rotation_id: str = ""
    trigger: str = ""
    state: str = ""
    step: str = ""
    vault_path: str = ""
    vault_version: int = 0
    host: str = ""  # where it was written
    again: bool = False  # told before, and still so
    since: datetime | None = None  # when the condition was first seen
    at: datetime | None = None  # when this notice was written
    id: str = field(default_factory=sortable_id)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A notice on its way to one channel, claimed by a sender."""

    id: str
    channel: str
    notice: Notice
    tries: int  # this one included


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one channel has not been told."""

    channel: str
    waiting: int
    given_up: int
    oldest: datetime | None  # of those that wait
    error: str  # why the last one that failed did


Routes = Callable[[Notice], Sequence[str]]
"""The channels that a notice goes to."""


def nobody(_notice: Notice) -> Sequence[str]:
    """The routes where no channel is configured."""
    return ()


def rotation_key(rotation_id: str, topic: Topic) -> str:
    """The key of a condition of one rotation."""
    return f"rotation/{rotation_id}/{topic}"


def app_key(app: str, topic: Topic) -> str:
    """The key of a condition of an app, which outlasts a rotation."""
    return f"app/{app}/{topic}"


def tidings(before: Rotation | None, after: Rotation) -> Iterator[Notice]:
    """What this change of a row says; `before` is None where it was just opened."""
    if before is None and after.force:
        yield _of(after, Topic.FORCE, Status.FIRING, f"a forced rotation was begun by {after.who.actor}")
    if before is None and after.who.break_glass:
        yield broken_glass(after, Status.FIRING)
    if before is not None and before.state is State.HELD and after.state is not State.HELD:
        yield _of(after, Topic.HELD, Status.RESOLVED, f"not held any more: {after.state}")
    if before is None or before.state is not after.state:
        yield from _arrived(after)
    elif after.state is State.HELD and before.reason != after.reason:  # held for something else: told anew
        yield _of(after, Topic.HELD, Status.RESOLVED, f"held for something else now: {after.reason}")
        yield from _arrived(after)
    if before is not None and publishes(before, after):
        yield published(after)


def broken_glass(row: Rotation, status: Status) -> Notice:
    """One person forced it alone; over when another has reviewed it."""
    words = f"{row.who.actor} forced it alone (break-glass): {row.who.reason}"
    return Notice(Topic.APPROVAL, status, rotation_key(row.id, Topic.APPROVAL), words, app=row.app, org=row.org,
                  fix=f"another person looks through it and runs `rotator review {row.id}`", reason="break_glass",
                  rotation_id=row.id, trigger=row.trigger, state=row.state, step=row.step)  # fmt: skip


def _arrived(row: Rotation) -> Iterator[Notice]:
    """What a row says that has just come into its state."""
    if row.state in (State.HELD, State.UNPROVEN, State.FAILED):
        yield _of(row, Topic(row.state.value), Status.FIRING, row.message)
    if row.ended:
        for topic in (Topic.UNPROVEN, Topic.FORCE):
            yield _of(row, topic, Status.RESOLVED, _end(row))
    if row.state is State.DONE:
        yield _of(row, Topic.FAILED, Status.RESOLVED, _end(row))


def _end(row: Rotation) -> str:
    return f"the rotation has ended as {row.state}" + (f": {row.message}" if row.message else "")


def _of(row: Rotation, topic: Topic, status: Status, message: str) -> Notice:
    key = app_key(row.app, topic) if topic is Topic.FAILED else rotation_key(row.id, topic)
    firing = status is Status.FIRING
    return Notice(
        topic, status, key, message, fix=row.fix if firing else "", reason=row.reason if firing else "",
        app=row.app, org=row.org, rotation_id=row.id, trigger=row.trigger, state=row.state, step=row.step,
        vault_path=row.target.path,
    )  # fmt: skip


def publishes(before: Rotation, after: Rotation) -> bool:
    """Whether it is known from this change on that the live path serves the new pair: by the answer to our write, or
    (where none came) by the first look that found it there, which begins the overlap."""
    written = after.published_version > 0 and after.published_version != before.published_version
    return written or (_overlaps(after) and not _overlaps(before))


def _overlaps(row: Rotation) -> bool:
    return row.overlap_until is not None or row.overlap_ended


def published(row: Rotation) -> Notice:
    """The new pair is live. One publish has one id, however it came to be known."""
    version = row.publish_version + 1  # check-and-set: the write made the next version
    return Notice(
        Topic.PUBLISHED, Status.ONCE, app_key(row.app, Topic.PUBLISHED), f"version {version} holds the new pair",
        app=row.app, org=row.org, rotation_id=row.id, trigger=row.trigger, state=row.state, step=row.step,
        vault_path=row.target.path, vault_version=version, id=f"{row.id}.{version}",
    )  # fmt: skip
