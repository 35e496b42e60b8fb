"""PagerDuty's Events API v2 (developer.pagerduty.com, "Send an alert event"): `trigger` and `resolve` with one
dedup_key per condition, at most 255 characters; 202 where taken, 400 for a bad event or key, 429 where throttled."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rotator.domain.notice import Notice, Status
from rotator.domain.secret import Secret
from rotator.notify import words
from rotator.notify.wire import Post, Read, must_accept

_HINTS = {
    400: "put the integration key of an Events API v2 integration into routing_key_file",
    403: "put the integration key of an Events API v2 integration into routing_key_file",
    404: "correct endpoint",
}
_PATH = "/v2/enqueue"
_DEDUP_CAP, _SUMMARY_CAP = 255, 1024


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """`endpoint`: its origin; `key`: the routing key."""

    post: Post
    endpoint: str
    key: Read

    def send(self, notice: Notice) -> None:
        """See wire.Sender."""
        event = {"routing_key": self.key().reveal(), **described(notice)}
        whole = json.dumps(event).encode()
        reply = self.post(Secret(self.endpoint + _PATH), whole, {"content-type": "application/json"})
        must_accept(reply, "PagerDuty", _HINTS)


def described(notice: Notice) -> dict[str, object]:
    """The event without the key. An event without a condition opens no incident that nobody would close."""
    over = notice.status is not Status.FIRING
    event: dict[str, object] = {"event_action": "resolve" if over else "trigger", "dedup_key": notice.key[:_DEDUP_CAP]}
    if over:
        return event
    told = dict(line.split(": ", 1) for line in words.lines(notice) if ": " in line)
    payload = {
        "summary": words.cut(f"{words.subject(notice)}: {notice.message}", _SUMMARY_CAP),
        "source": notice.host or "rotator",
        "severity": words.severity(notice),
        "timestamp": notice.since.isoformat() if notice.since else None,
        "component": notice.app or None,
        "group": notice.org or None,
        "class": notice.reason or notice.topic.value,
        "custom_details": told,
    }
    return {**event, "client": "rotator", "payload": {name: value for name, value in payload.items() if value}}
