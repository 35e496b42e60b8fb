"""A Slack incoming webhook (api.slack.com, "Sending messages using incoming webhooks"): a POST of `{"text": ...}`,
answered with 200 `ok`; 403 and 404 where the webhook or its channel is gone; 429 with Retry-After."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rotator.domain.notice import Notice
from rotator.notify import words
from rotator.notify.wire import Post, Read, must_accept

_GONE = "make a new incoming webhook in Slack and put its address into url_file"
_HINTS = {400: _GONE, 403: _GONE, 404: _GONE, 410: _GONE}


@dataclass(frozen=True, slots=True)
class Slack:
    """`url` is the secret address."""

    post: Post
    url: Read

    def send(self, notice: Notice) -> None:
        """See wire.Sender."""
        whole = json.dumps({"text": message(notice)}).encode()
        must_accept(self.post(self.url(), whole, {"content-type": "application/json"}), "Slack", _HINTS)


def message(notice: Notice) -> str:
    """The subject in bold, then the lines. What Slack would read as a link, a mention or a mark is taken apart."""
    return f"*{escaped(words.subject(notice)).replace('*', '')}*\n{escaped(words.text(notice))}"


def escaped(text: str) -> str:
    """Slack asks for exactly these three (api.slack.com, "Formatting text for app surfaces")."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
