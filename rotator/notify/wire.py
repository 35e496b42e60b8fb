"""What the senders need of HTTP, and what an answer means to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from rotator.domain.errors import Refused, RotatorError, Unavailable
from rotator.domain.notice import Notice
from rotator.domain.secret import Secret

Read = Callable[[], Secret]
"""Reads a secret anew from its file, so that a mended one is seen at the next try. Raises ConfigError."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The status of a whole answer, and how many seconds it asks us to wait. Its body is read by nobody."""

    status: int
    retry_after: float | None = None


class Post(Protocol):
    """One POST over verified TLS, never across a redirect. Raises Unavailable where no whole answer came, ConfigError
    for an address that is none; neither text holds the address."""

    def __call__(self, url: Secret, body: bytes, headers: Mapping[str, str]) -> Reply: ...


class Sender(Protocol):
    """Carries a notice to one channel. Raises a RotatorError that says what to mend; nothing else."""

    def send(self, notice: Notice) -> None: ...


def must_accept(reply: Reply, whose: str, hints: Mapping[int, str]) -> None:
    """Nothing for a 2xx, else the error: `hints` maps a status to its fix. Raises Unavailable or Refused."""
    if 200 <= reply.status < 300:
        return
    raise _error(reply, whose, hints.get(reply.status, ""))


def _error(reply: Reply, whose: str, fix: str) -> RotatorError:
    said = f"{whose} answered with HTTP {reply.status}"
    if reply.status in (408, 425, 429) or reply.status >= 500:
        return Unavailable(said, code="notice_unavailable", fix=fix, http_status=reply.status,
                           retry_after=reply.retry_after)  # fmt: skip
    if 300 <= reply.status < 400:
        fix = "give the address that it leads to: a notice is never carried across a redirect"
    return Refused(said, code="notice_refused", fix=fix or f"see what {whose} expects", http_status=reply.status)
