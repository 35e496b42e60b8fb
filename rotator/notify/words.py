"""A notice in words: one line for a subject, a few for a person at three in the morning. Nothing but plain text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rotator.domain.notice import Notice, Status, Topic
from rotator.log_words import clean

_TITLES = {
    Topic.HELD: "HELD",
    Topic.UNPROVEN: "NOT PROVEN",
    Topic.FAILED: "rotation FAILED",
    Topic.OVERDUE: "OVERDUE",
    Topic.FORCE: "FORCED rotation",
    Topic.DRIFT: "DRIFT",
    Topic.FAILING: "rotator FAILING",
    Topic.HOOK: "hook FAILED",
    Topic.APPROVAL: "SECOND PERSON needed",
    Topic.PUBLISHED: "new pair live",
    Topic.TEST: "test notice",
}
_SEVERITIES = {
    Topic.HELD: "error",
    Topic.UNPROVEN: "warning",
    Topic.FAILED: "error",
    Topic.OVERDUE: "error",
    Topic.FORCE: "warning",
    Topic.DRIFT: "error",
    Topic.FAILING: "critical",
    Topic.HOOK: "error",
    Topic.APPROVAL: "error",
    Topic.PUBLISHED: "info",
    Topic.TEST: "info",
}
SUBJECT_CAP = 78  # characters: what a mail program shows, and RFC 5322 asks for


def severity(notice: Notice) -> str:
    """critical, error, warning or info: PagerDuty's words."""
    return _SEVERITIES[notice.topic]


def subject(notice: Notice) -> str:
    """One short line: what, and whom it concerns."""
    mark = {Status.FIRING: "still " if notice.again else "", Status.RESOLVED: "resolved: ", Status.ONCE: ""}
    about = notice.app or notice.org or notice.host
    code = f" ({notice.reason})" if notice.reason and notice.status is Status.FIRING else ""
    return cut(f"{mark[notice.status]}{_TITLES[notice.topic]}: {about}{code}", SUBJECT_CAP)


def lines(notice: Notice) -> Iterator[str]:
    """What happened, what to do, and how to find it again; each a line of `name: value` after the first."""
    if notice.message:
        yield clean(notice.message)
    told = {
        "fix": notice.fix,
        "app": notice.app,
        "org": notice.org,
        "state": " at ".join(filter(None, (notice.state, notice.step))),
        "reason": notice.reason,
        "since": minute(notice.since),
        "rotation": notice.rotation_id,
        "vault": f"{notice.vault_path} version {notice.vault_version}" if notice.vault_version else notice.vault_path,
        "host": notice.host,
    }
    yield from (f"{name}: {clean(value)}" for name, value in told.items() if value)


def text(notice: Notice) -> str:
    """The lines as one text."""
    return "\n".join(lines(notice))


def minute(moment: datetime | None) -> str:
    """A time for people, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else ""


def cut(words: str, most: int) -> str:
    """One line of printable text, at most so long."""
    line = clean(words)
    return line if len(line) <= most else line[: most - 3] + "..."
