"""The configured channels as senders: how a notice is carried there."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qsl, urlsplit

from rotator.adapters.http import Http, TransportError
from rotator.adapters.tls import tls_context
from rotator.config import SecretPlaces, read_secret_file
from rotator.config.notify import Channel, PagerDutyChannel, SlackChannel, SmtpChannel
from rotator.domain.errors import ConfigError, Unavailable
from rotator.domain.secret import Secret
from rotator.notify.mail import Mail
from rotator.notify.pagerduty import PagerDuty
from rotator.notify.slack import Slack
from rotator.notify.webhook import Webhook
from rotator.notify.wire import Read, Reply, Sender
from rotator.wiring.settings import file_or_none

DEADLINE = 10.0  # seconds for one notice
CAP = 64 * 1024  # bytes of an answer that nobody reads


def sender_of(channel: Channel, places: SecretPlaces) -> Sender:
    """How this channel is reached. No file is opened before something is sent."""

    def reader(name: str) -> Read:
        return partial(read_secret_file, name, places)

    if isinstance(channel, SmtpChannel):
        password = reader(channel.password_file) if channel.password_file else None
        tls = partial(_tls, channel.ca_file, places)
        server = (channel.host, channel.port, channel.tls, tls)
        return Mail(*server, channel.sender, channel.to, channel.username, password)
    post = HttpPost(channel.ca_file, places, channel.proxy)
    if isinstance(channel, SlackChannel):
        return Slack(post, reader(channel.url_file))
    if isinstance(channel, PagerDutyChannel):
        return PagerDuty(post, channel.endpoint, reader(channel.routing_key_file))
    url = reader(channel.url_file) if channel.url_file else partial(Secret, channel.url)
    return Webhook(post, url, reader(channel.secret_file) if channel.secret_file else None, time.time)


def _tls(ca_file: str, places: SecretPlaces) -> ssl.SSLContext:
    return tls_context(file_or_none(ca_file, places))


class HttpPost:
    """`notify.wire.Post` over the one HTTP adapter: verified TLS, no redirect, the configured proxy or none."""

    def __init__(self, ca_file: str, places: SecretPlaces, proxy: str) -> None:
        self._ca_file, self._places, self._proxy = ca_file, places, proxy

    def __call__(self, url: Secret, body: bytes, headers: Mapping[str, str]) -> Reply:
        origin, path, query = _parts(url)
        tls = tls_context(file_or_none(self._ca_file, self._places))
        with Http(origin, tls=tls, deadline=DEADLINE, cap=CAP, proxy=self._proxy or None) as http:
            try:
                answer = http.call("POST", path, headers=headers, params=query, content=body)
            except TransportError as error:
                raise Unavailable(f"no answer: {error.message}", code="notice_unavailable",
                                  fix=_FIXES.get(error.reason, "look whether the address is reached from here"),
                                  ) from None  # fmt: skip
        wait = answer.headers.get("retry-after", "")
        return Reply(answer.status, float(wait) if wait.isascii() and wait.isdigit() else None)


_FIXES = {
    "tls": "set ca_file where its authority is your own; else correct the address",
    "proxy": "correct proxy, or let it connect to this host",
    "timeout": "look whether the receiver is overloaded, or a firewall drops our packets",
    "protocol": "correct the address: plain characters, no login, and something that speaks HTTP behind it",
}


def _parts(url: Secret) -> tuple[str, str, dict[str, str] | None]:
    """Origin, path and query. Raises ConfigError, without the address, where it is none of https."""
    wrong = ConfigError("the channel's address is not https://host/path", fix="correct url, or what is in url_file")
    text = url.reveal().strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        raise wrong from None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise wrong
    return f"https://{parts.netloc}", parts.path or "/", dict(parse_qsl(parts.query)) or None
