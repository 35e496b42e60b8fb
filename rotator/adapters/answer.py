"""What a call over HTTP gives: a whole answer, or one of two errors that tell whether the far side may have acted."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rotator.domain.errors import ConfigError


class TransportError(Exception):
    """No whole answer came. `reason`: connect, tls, proxy, timeout, closed, too_large, encoded or protocol."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NotSent(TransportError):
    """It is certain that no byte of the request reached the far side: nothing was changed there."""


class Lost(TransportError):
    """Sending had begun: the far side may have acted, and we do not know."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are lower case. The body is not in the repr: it may hold a secret."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body parsed as JSON. Raises ValueError for anything else, without quoting it."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            raise ValueError("the body is not JSON") from None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call that is over, without anything that it carried. `status` is 0 where no whole answer came, and `reason`
    then says why (see TransportError)."""

    method: str
    path: str
    status: int
    reason: str
    seconds: float


Listener = Callable[[Exchange], None]


def deaf(exchange: Exchange) -> None:
    """A listener that counts nothing."""


def check_origin(origin: str) -> str:
    """The origin itself where it is `http(s)://host[:port]` and nothing else; raises ConfigError otherwise."""
    parts = urlsplit(origin)
    plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    if plain and origin == f"{parts.scheme}://{parts.netloc}":
        return origin
    raise ConfigError(
        "a host is given as https://name or https://name:port, without a path",
        fix="write it like https://acme.my.salesforce.com",
    )
