"""Answers that lie: other hosts in every URL, control characters in every name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from rotator.simulator.wire.call import Reply

NAMES = ("label", "name", "developerName", "username", "MasterLabel", "DeveloperName", "Name", "Username", "createdBy",
         "AppName", "Application", "appDeveloperName", "message", "error_description")  # fmt: skip
NASTY = "\x1b[31m\x07\r\n\x00‮"


def rewrite(value: Any, change: Callable[[str, str], str], name: str = "") -> Any:
    """The same JSON with every text passed through `change(member name, text)`."""
    if isinstance(value, dict):
        return {key: rewrite(inner, change, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [rewrite(inner, change, name) for inner in value]
    return change(name, value) if isinstance(value, str) else value


def wrong_host(reply: Reply, host: str) -> Reply:
    """Every absolute URL, and every member that ends in `url`, points to that host (given as `https://host`)."""

    def change(name: str, text: str) -> str:
        if re.match(r"https?://", text):
            return re.sub(r"https?://[^/]+", host, text)
        return host + text if name.lower().endswith("url") and text.startswith("/") else text

    return changed(reply, change)


def control_characters(reply: Reply) -> Reply:
    """Every name gets an escape sequence, a line break, a null and a direction mark."""
    return changed(reply, lambda name, text: text + NASTY if name in NAMES else text)


def changed(reply: Reply, change: Callable[[str, str], str]) -> Reply:
    """A reply with its JSON rewritten; anything else stays."""
    body = reply.json()
    if body is None:
        return reply
    return Reply(reply.status, json.dumps(rewrite(body, change)).encode(), reply.headers, reply.effect, reply.about)
