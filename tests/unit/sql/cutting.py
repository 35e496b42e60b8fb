"""A way to PostgreSQL that breaks: the server gets the COMMIT, the client never gets the answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from sqlalchemy import make_url


class Cutter:
    """Passes bytes on between a client and the server; cuts the connection at chosen COMMITs."""

    def __init__(self, url: str) -> None:
        self.target = make_url(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = self.target.set(
            host="127.0.0.1", port=self.listener.getsockname()[1], query={"sslmode": "disable"}
        ).render_as_string()
        self.cut_before = 0  # so many of the next COMMITs never reach the server
        self.cut_after = 0  # so many of the next COMMITs take effect, and their answer is lost
        self.cuts = 0
        self.sockets: list[socket.socket] = [self.listener]
        self.threads = [self.start(self.accept)]

    def start(self, work: object, *args: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type] # a callable
        thread.start()
        return thread

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = self.connect()
                self.sockets += [client, server]
                cutting = threading.Event()
                self.threads.append(self.start(self.upstream, client, server, cutting))
                self.threads.append(self.start(self.downstream, server, client, cutting))

    def connect(self) -> socket.socket:
        folder = self.target.query.get("host") or self.target.host or "127.0.0.1"
        port = self.target.port or 5432
        if str(folder).startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{folder}/.s.PGSQL.{port}")
            return server
        return socket.create_connection((str(folder), port))

    def upstream(self, client: socket.socket, server: socket.socket, cutting: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if b"COMMIT" in data and self.cut_before:
                    self.cut_before -= 1
                    self.cuts += 1
                    break
                if b"COMMIT" in data and self.cut_after:
                    self.cut_after -= 1
                    self.cuts += 1
                    cutting.set()
                server.sendall(data)
        self.close(client, server)

    def downstream(self, server: socket.socket, client: socket.socket, cutting: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if cutting.is_set():
                    break  # the answer to the COMMIT is here: it took effect
                client.sendall(data)
        self.close(client, server)

    def close(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def stop(self) -> None:
        self.close(*self.sockets)
        for thread in self.threads:
            thread.join(5)


@contextlib.contextmanager
def cutter(url: str) -> Iterator[Cutter]:
    """A cutter before the server of this URL; its own URL leads through it."""
    made = Cutter(url)
    try:
        yield made
    finally:
        made.stop()
