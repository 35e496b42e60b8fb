"""The thread in which the surface is served: one event loop for all its sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from rotator.control.connections import HEAD_BYTES, KEEP_ALIVE_S, Connection

HANDSHAKE_S = 5.0
START_S = 10.0
STOP_S = 3.0  # for answers that are being written
BACKLOG = 64


class Serving:
    """Serves one ASGI application on sockets that listen already. Starts with `start`, ends with `stop`."""

    def __init__(self, application: Any) -> None:
        self._config = uvicorn.Config(
            application, http=Connection, ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, date_header=False, timeout_keep_alive=KEEP_ALIVE_S,
            h11_max_incomplete_event_size=HEAD_BYTES, proxy_headers=False,
        )  # fmt: skip
        self._config.load()
        self._state = ServerState()
        self._loop = asyncio.new_event_loop()
        self._listeners: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what a client sends wrong is no news

    def start(self, sockets: Sequence[tuple[socket.socket, ssl.SSLContext | None]]) -> None:
        """Returns when all of them are served."""
        self._thread.start()
        for listening, tls in sockets:
            self._call(self._open(listening, tls))

    def stop(self) -> None:
        """Takes no new call, lets answers end for a moment, then drops every connection. Can be called twice."""
        if self._thread.is_alive():
            self._call(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(START_S)
            self._loop.close()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._state.connections)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_S)

    async def _open(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        make = partial(Connection, config=self._config, server_state=self._state, app_state={})
        patience = HANDSHAKE_S if tls is not None else None
        self._listeners.append(await self._loop.create_server(
            make, sock=listening, ssl=tls, backlog=BACKLOG, ssl_handshake_timeout=patience))  # fmt: skip

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        end = self._loop.time() + STOP_S
        while self._state.tasks and self._loop.time() < end:
            await asyncio.sleep(0.02)
        for connection in list(self._state.connections):
            connection.transport.abort()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


