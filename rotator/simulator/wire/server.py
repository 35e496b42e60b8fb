"""Sockets and servers: one thread with one event loop in which every port of the simulator is served."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from rotator.simulator.wire.line import TRANSPORT

START_S = 10.0


@dataclass(frozen=True)
class Tls:
    """Certificate and key files of the servers; `client_ca` makes them ask for a client certificate."""

    cert: str
    key: str
    client_ca: str = ""


class Protocol(H11Protocol):
    """uvicorn's own protocol, with the transport in the scope: a fault must be able to cut a connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            scope[TRANSPORT] = lambda: self.transport
            await inner(scope, receive, send)

        self.app = application


class Servers:
    """Starts with its thread; each `open` serves one application on one free loopback port."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self._loop = asyncio.new_event_loop()
        self._servers: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []
        self._opening: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._thread.start()

    def open(self, application: Any, tls: Tls | None = None, port: int = 0) -> str:
        """Serve on a port (0: a free one); gives the base URL. Returns when it answers. For other threads."""
        server, listening = self._prepare(application, tls, port)
        self.call(self._serve(server, listening))
        return base(self.host, listening, tls)

    def open_here(self, application: Any, tls: Tls | None = None) -> str:
        """The same from inside the loop (an admin request): answers a moment later."""
        server, listening = self._prepare(application, tls, 0)
        self._opening.append(self._loop.create_task(self._serve(server, listening)))
        return base(self.host, listening, tls)

    def _prepare(self, application: Any, tls: Tls | None, port: int) -> tuple[uvicorn.Server, socket.socket]:
        # asyncio turns Nagle's delay off only where the protocol is named
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((self.host, port))
        listening.listen(512)
        options: dict[str, Any] = {}
        if tls:
            options = {"ssl_certfile": tls.cert, "ssl_keyfile": tls.key}
        if tls and tls.client_ca:
            options |= {"ssl_ca_certs": tls.client_ca, "ssl_cert_reqs": ssl.CERT_OPTIONAL}
        config = uvicorn.Config(application, http=Protocol, ws="none", lifespan="off", log_config=None,
                                access_log=False, server_header=False, date_header=False,
                                timeout_keep_alive=75, **options)  # fmt: skip
        return uvicorn.Server(config), listening

    async def _serve(self, server: uvicorn.Server, listening: socket.socket) -> None:
        task = self._loop.create_task(server.serve(sockets=[listening]))
        self._servers.append((server, task))
        deadline = time.monotonic() + START_S
        while not server.started and not task.done() and time.monotonic() < deadline:
            await asyncio.sleep(0.005)

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the loop from another thread and give its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S + 5)

    def every(self, interval: float, work: Callable[[], None]) -> None:
        """Call something in the loop again and again."""

        async def ticking() -> None:
            while True:
                await asyncio.sleep(interval)
                work()

        asyncio.run_coroutine_threadsafe(ticking(), self._loop)

    def stop(self) -> None:
        """Close every port, drop every connection, end the thread. Can be called twice."""
        if self._thread.is_alive():
            self.call(self._stop())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_S)
            self._loop.close()

    async def _stop(self) -> None:
        for server, _ in self._servers:
            server.should_exit = server.force_exit = True
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait([task for _, task in self._servers], timeout=5)
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


def base(host: str, listening: socket.socket, tls: Tls | None) -> str:
    """The base URL of a listening socket."""
    return f"{'https' if tls else 'http'}://{host}:{listening.getsockname()[1]}"


logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
