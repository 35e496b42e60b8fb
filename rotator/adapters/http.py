"""The one way out: HTTPS to one origin, with a total deadline, a capped body and no redirects.

httpx and httpcore are imported here only, so that a swap to another client touches this file alone. The transport is
driven directly, not through `httpx.Client`: no cookie jar, no redirect code, no log line with a URL.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpcore
import httpx

from rotator.adapters.answer import Answer, Exchange, Listener, Lost, NotSent, TransportError, check_origin, deaf

__all__ = ["Answer", "Http", "Lost", "NotSent", "TransportError", "check_origin"]

# httpx logs whole URLs at INFO and httpcore logs headers at DEBUG: neither may happen, whatever the log level.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

KEEPALIVE = 5.0  # seconds: shorter than what the far sides keep idle, so that few calls meet a dead connection
CONNECTIONS = 32  # also the number kept alive: httpcore closes connections under others' feet where the two differ
MEBIBYTE = 1 << 20
USER_AGENT = "rotator"
_PATH = re.compile(r"/(?!/)[!$&'()*+,;=:@%/~._\-A-Za-z0-9]*")


class Http:
    """All calls to one origin (`https://host[:port]`), safe to share between threads.

    deadline: seconds for a whole call, name look-up excepted (the system bounds that). cap: bytes of a body, also
    after decoding. proxy: `http://[user:password@]host:port`, else none; the environment is never asked.
    heard: told of every call that is over. transport: for parser tests only.
    """

    def __init__(
        self,
        origin: str,
        *,
        tls: ssl.SSLContext,
        deadline: float = 10.0,
        cap: int = MEBIBYTE,
        proxy: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        heard: Listener = deaf,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.origin = check_origin(origin)
        self._heard = heard
        self._deadline = deadline
        self._cap = cap
        self._meter = _Meter(monotonic)
        self._wire = transport or _Wire(tls, proxy, self._meter)

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        deadline: float | None = None,
        cap: int | None = None,
    ) -> Answer:
        """One request, one answer of any status; a 3xx is given back like the rest and never followed.
        path: absolute, already percent-encoded, without query; params must not hold a secret. At most one of
        content, json, form; deadline and cap for this call alone. Raises NotSent or Lost, silent about the request.
        """
        if not _PATH.fullmatch(path):
            raise NotSent("protocol", "refused to call a path that is not a plain absolute path")
        seconds = self._deadline if deadline is None else deadline
        try:
            request = httpx.Request(
                method,
                self.origin + path,
                headers={"accept-encoding": "identity", "user-agent": USER_AGENT, **(headers or {})},
                params=params,
                content=content,
                json=json,
                data=form,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), seconds)},
            )
        except (ValueError, TypeError, httpx.InvalidURL):  # quotes what it was given
            raise NotSent("protocol", "the request could not be built: a header or value is not printable") from None
        return self._measured(request, path, seconds, self._cap if cap is None else cap)

    def _measured(self, request: httpx.Request, path: str, seconds: float, cap: int) -> Answer:
        self._meter.start(seconds)
        status, reason = 0, "protocol"
        try:
            answer = self._exchange(request, cap)
            status, reason = answer.status, ""
        except httpx.TransportError as error:
            failure = _translate(error, sent=self._meter.sent)
            reason = failure.reason
            raise failure from None
        else:
            return answer
        finally:
            self._heard(Exchange(request.method, path, status, reason, self._meter.stop()))

    def _exchange(self, request: httpx.Request, cap: int) -> Answer:
        response = self._wire.handle_request(request)
        try:
            body = _read(response, cap)
        finally:
            response.close()
        return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)

    def close(self) -> None:
        """Closes the connections; the next call would open new ones."""
        self._wire.close()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(response: httpx.Response, cap: int) -> bytes:
    body = bytearray()
    if not isinstance(response.stream, httpx.SyncByteStream):
        raise _Refused("protocol")
    for chunk in response.stream:  # not iter_bytes: httpx would decode a gzip bomb whole
        body += chunk
        if len(body) > cap:
            raise _Refused("too_large")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    return bytes(body) if encoding in ("identity", "") or not body else _decode(bytes(body), encoding, cap)


def _decode(body: bytes, encoding: str, cap: int) -> bytes:
    """We ask for plain bodies; some proxies encode all the same. Never holds more than the cap."""
    if encoding not in ("gzip", "deflate"):
        raise _Refused("encoded")
    decoder = zlib.decompressobj(wbits=47)
    try:
        plain = decoder.decompress(body, cap + 1)
    except zlib.error:
        raise _Refused("encoded") from None
    if len(plain) > cap:
        raise _Refused("too_large")
    if not decoder.eof:
        raise _Refused("encoded")
    return plain


class _Refused(httpx.TransportError):
    """We stopped reading an answer."""


_WORDS = {
    "connect": "no connection could be made",
    "tls": "the TLS handshake failed: the certificate is not trusted, or not for this host",
    "proxy": "the proxy refused to connect",
    "timeout": "no whole answer came within the deadline",
    "closed": "the connection broke before the answer was complete",
    "too_large": "the answer is larger than anything we would read",
    "encoded": "the answer came in an encoding that we did not ask for",
    "protocol": "the answer is not HTTP",
}


def _translate(error: httpx.TransportError, *, sent: bool) -> TransportError:
    reason = _reason(error)
    before = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)
    reading = isinstance(error, httpx.ReadError | httpx.ReadTimeout | httpx.RemoteProtocolError | _Refused)
    return (NotSent if before or not (sent or reading) else Lost)(reason, _WORDS[reason])


_BROKEN_OFF = re.compile("disconnected|closed connection")  # h11's words: before, or in the midst of, an answer


def _reason(error: httpx.TransportError) -> str:
    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, httpx.ConnectError) and re.search(r"ssl|certificate", str(error), re.IGNORECASE):
        return "tls"
    table: tuple[tuple[type[httpx.TransportError], str], ...] = (
        (httpx.ConnectError, "connect"),
        (httpx.TimeoutException, "timeout"),
        (httpx.ProxyError, "proxy"),
        (httpx.NetworkError, "closed"),
        (httpx.RemoteProtocolError, "closed" if _BROKEN_OFF.search(str(error)) else "protocol"),
    )
    return next((reason for kind, reason in table if isinstance(error, kind)), "protocol")


class _Meter(threading.local):
    """What the running call of this thread has left, and whether it has begun to send."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: float | None = None
        self._began = 0.0
        self.sent = False

    def start(self, seconds: float) -> None:
        self._began, self.sent = self._monotonic(), False
        self._until = self._began + seconds

    def stop(self) -> float:
        """Gives the seconds since the start."""
        self._until = None
        return self._monotonic() - self._began

    def left(self, asked: float | None) -> float | None:
        """Seconds for the next wait. None outside a call (a pool closing its connections)."""
        return asked if self._until is None else self._until - self._monotonic()


class _Wire(httpx.HTTPTransport):
    """httpx's transport over our deadline backend: httpx's own timeouts are per wait, so a drip lasts for ever."""

    def __init__(self, tls: ssl.SSLContext, proxy: str | None, meter: _Meter) -> None:
        limits = httpx.Limits(
            max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=KEEPALIVE
        )
        super().__init__(verify=tls, trust_env=False, http1=True, http2=False, limits=limits, proxy=proxy)
        # The one private name: httpx gives no way to hand a backend in. tests/unit/http guards it.
        self._pool._network_backend = _Backend(self._pool._network_backend, meter)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend, meter: _Meter) -> None:
        self._inner = inner
        self._meter = meter

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Tries each address of the name within the one deadline."""
        failure: Exception = httpcore.ConnectError("no address")
        for address in _addresses(host, port):
            left = _positive(self._meter.left(timeout), httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._meter)
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("the name is not known") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _positive(left: float | None, late: type[Exception]) -> float | None:
    if left is not None and left <= 0:
        raise late("the deadline has passed")
    return left


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, meter: _Meter) -> None:
        self._inner = inner
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _positive(self._meter.left(timeout), httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = _positive(self._meter.left(timeout), httpcore.WriteTimeout)
        self._meter.sent = self._meter.sent or bool(buffer)
        self._inner.write(buffer, left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _positive(self._meter.left(timeout), httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
