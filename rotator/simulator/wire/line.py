"""One exchange on the wire: read the request, send a good answer or a hostile one, drop the connection."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from rotator.simulator.wire.call import Call, Reply

CHUNK = 64 * 1024
TRANSPORT = "simulator.transport"


class Line:
    """The connection of one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send

    async def read(self, site: str) -> Call:
        """The whole request as a Call."""
        body, more = b"", True
        while more:
            message = await self._receive()
            body += message.get("body", b"")
            more = message.get("more_body", False) and message["type"] == "http.request"
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}
        query = dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))
        return Call(site, self.scope["method"], self.scope["path"], query, headers, body, self.scope["scheme"],
                    self.peer_certificate())  # fmt: skip

    def peer_certificate(self) -> bytes:
        """The client's TLS certificate in DER, empty when it sent none."""
        channel = self.scope[TRANSPORT]().get_extra_info("ssl_object")
        return (channel.getpeercert(binary_form=True) or b"") if channel else b""

    async def gone(self) -> None:
        """Returns when the client has left."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def drop(self) -> None:
        """Cut the connection without a further byte."""
        self.scope[TRANSPORT]().abort()
        await self.gone()

    async def start(self, reply: Reply, length: bool = True) -> None:
        """Status line and headers."""
        headers = {"content-type": "application/json", **reply.headers}
        if length and reply.status != 204:
            headers["content-length"] = str(len(reply.body))
        named = [(name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": reply.status, "headers": named})

    async def more(self, body: bytes, last: bool = False) -> None:
        """A piece of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def send(self, reply: Reply) -> None:
        """A good answer."""
        await self.start(reply)
        head = self.scope["method"] == "HEAD" or reply.status == 204
        await self.more(b"" if head else reply.body, last=True)

    async def cut(self, reply: Reply) -> None:
        """Half of the body, then nothing."""
        await self.start(reply)
        await self.more(reply.body[: len(reply.body) // 2])
        await self.drop()

    async def drip(self, reply: Reply, interval: float) -> None:
        """The body byte by byte, until the client leaves."""
        await self.start(reply)
        leaving = asyncio.ensure_future(self.gone())
        for at in range(len(reply.body)):
            await self.more(reply.body[at : at + 1], last=at + 1 == len(reply.body))
            await asyncio.wait([leaving], timeout=interval)
            if leaving.done():
                break
        leaving.cancel()

    async def pour(self, reply: Reply, size: int, zipped: bool) -> None:
        """A body of that many bytes, made on the way; gzipped it is a thousandth of it on the wire."""
        headers = dict(reply.headers) | ({"content-encoding": "gzip"} if zipped else {})
        await self.start(Reply(reply.status, b"", headers), length=False)
        leaving = asyncio.ensure_future(self.gone())
        async for piece in pieces(size, zipped):
            if leaving.done():
                break
            await self.more(piece)
        if not leaving.done():
            leaving.cancel()
            await self.more(b"", last=True)


async def pieces(size: int, zipped: bool) -> AsyncIterator[bytes]:
    """`{"pad": "aaa..."}` in chunks; gives the loop a turn after each. A gzip bomb is many members in a row."""
    pad = b"a" * CHUNK
    packed: Any = gzip.compress if zipped else bytes
    big = packed(pad)
    yield packed(b'{"pad": "')
    for _ in range(size // CHUNK):
        yield big
        await asyncio.sleep(0)
    yield packed(b'"}')
