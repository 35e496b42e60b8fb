"""A POST of our own: JSON of a documented shape (docs/notify.md), signed with a time, so that its receiver can tell
who sent it and when."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from rotator.domain.notice import Notice
from rotator.domain.secret import Secret
from rotator.log_words import clean
from rotator.notify import words
from rotator.notify.wire import Post, Read, must_accept

SCHEMA = "rotator.notice/1"
_HINTS = {
    401: "give the receiver the key of secret_file, and look at its clock",
    403: "give the receiver the key of secret_file, and look at its clock",
    404: "correct the address in url or url_file",
    413: "let the receiver take bodies of 16 KiB",
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """`key` signs the body (None: nobody does); `now` is the wall clock in seconds since 1970."""

    post: Post
    url: Read
    key: Read | None
    now: Callable[[], float]

    def send(self, notice: Notice) -> None:
        """See wire.Sender."""
        whole = body(notice)
        headers = {"content-type": "application/json", "rotator-notice-id": notice.id}
        if self.key is not None:
            stamp = str(int(self.now()))
            headers |= {"rotator-timestamp": stamp, "rotator-signature": signature(self.key(), stamp, whole)}
        must_accept(self.post(self.url(), whole, headers), "the webhook's receiver", _HINTS)


def signature(key: Secret, stamp: str, whole: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of the time, a dot, and the body as it is sent."""
    return "v1=" + hmac.new(key.reveal().encode(), stamp.encode() + b"." + whole, hashlib.sha256).hexdigest()


def body(notice: Notice) -> bytes:
    """The document, schema rotator.notice/1: every member is always there, what is absent is null."""
    told = {
        "schema": SCHEMA,
        "id": notice.id,
        "event": notice.topic.value,
        "status": notice.status.value,
        "again": notice.again,
        "severity": words.severity(notice),
        "key": notice.key,
        "summary": words.subject(notice),
        "app": notice.app or None,
        "org": notice.org or None,
        "rotation_id": notice.rotation_id or None,
        "trigger": notice.trigger or None,
        "state": notice.state or None,
        "step": notice.step or None,
        "reason": notice.reason or None,
        "message": clean(notice.message) or None,
        "fix": clean(notice.fix) or None,
        "vault_path": notice.vault_path or None,
        "vault_version": notice.vault_version or None,
        "host": notice.host or None,
        "since": _moment(notice.since),
        "at": _moment(notice.at),
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


def _moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if value else None
