"""One connection of a client: bounded in number, in time and in what it may send, so that none can stop the daemon."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 64  # connections at once, on all sockets
HEADERS_S = 10.0  # for a whole head of a request, also for the first byte
KEEP_ALIVE_S = 15
HEAD_BYTES = 16 * 1024
BODY_BYTES = 64 * 1024
BODY_S = 10.0  # for a whole body
WRITE_S = 30.0  # for a client to take what is written to it
TRANSPORT = "rotator.transport"


def refusal(message: str, fix: str, code: str, exit_code: int) -> bytes:
    """An error as the contract has it, for answers that are written before there is a request."""
    error = {"code": code, "where": None, "message": message, "fix": fix}
    return json.dumps({"ok": False, "exit": exit_code, "errors": [error]}).encode()


class Connection(H11Protocol):
    """uvicorn's own protocol, with limits, and with its transport in the scope: it says who is at the other end."""

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = self.transport
            await inner(scope, receive, send)

        self.app = application

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST:
            self._say(503, refusal("too many connections", "try again in a moment", "too_many", 75))
            return
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        cycle: Any = self.cycle  # None until the first head is whole
        if cycle is not None and not cycle.response_complete:
            self._no_deadline()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_deadline()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP at all."""
        self._say(400, refusal("this is no HTTP request", "see /openapi.json", "bad_request", 2))

    def _wait_for_head(self) -> None:
        self._no_deadline()
        self._deadline = self.loop.call_later(HEADERS_S, self.transport.abort)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _say(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()
        self.loop.call_later(1.0, self.transport.abort)  # one that does not read


def patient(send: Send, transport: asyncio.Transport, seconds: float = WRITE_S) -> Send:
    """Cuts a client that does not take what is written to it."""

    async def sending(message: Any) -> None:
        try:
            await asyncio.wait_for(send(message), seconds)
        except TimeoutError:
            transport.abort()
            raise ConnectionAbortedError from None

    return sending


def certificate_of(transport: asyncio.Transport) -> dict[str, Any] | None:
    """The client certificate that TLS has verified; None where none was sent."""
    tls = transport.get_extra_info("ssl_object")
    return tls.getpeercert() if isinstance(tls, ssl.SSLObject) else None


