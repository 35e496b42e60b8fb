"""Real receivers on the loopback address, over TLS of an authority of the test's own: HTTP and SMTP."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.network import Tls


@dataclass
class Heard:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that keeps what it hears, and answers as told."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs: float = 0.0  # seconds before the answer
    closes: bool = False  # instead of an answer


@contextmanager
def receiver(tls: Tls) -> Iterator[Receiver]:
    """A receiver, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(told.hangs)
            if told.closes:
                self.close_connection = True
                return
            self.send_response(told.status)
            for name, value in {"content-length": "2", **told.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = _context(tls).wrap_socket(server.socket, server_side=True)
    told = Receiver(f"https://127.0.0.1:{server.server_address[1]}")
    with _served(server):
        yield told


@dataclass
class PostOffice:
    """An SMTP server that keeps the letters, and refuses what it is told to refuse."""

    port: int
    letters: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # every command
    refuse: str = ""  # a command that is answered with 550
    silent: bool = False  # takes connections and says nothing


@contextmanager
def post_office(tls: Tls, *, implicit: bool = False) -> Iterator[PostOffice]:
    """A mail server; with `implicit` TLS from the first byte, else after STARTTLS."""
    context = _context(tls)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                line = _secured(self.request, context, stack) if implicit else _Line(self.request)
                stack.callback(line.close)
                _talk(line, office, context, stack)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    office = PostOffice(server.server_address[1])
    with _served(server):
        yield office


def _secured(wire: socket.socket, context: ssl.SSLContext, stack: contextlib.ExitStack) -> _Line:
    line = _Line(context.wrap_socket(wire, server_side=True))
    stack.callback(line.close)
    return line


def _talk(line: _Line, office: PostOffice, context: ssl.SSLContext, stack: contextlib.ExitStack) -> None:
    if office.silent:
        line.read()
        return
    line.say("220 test")
    while (command := line.read()) is not None:
        office.said.append(command)
        verb = command.split(" ")[0].upper()
        if verb == office.refuse:
            line.say("535 no: hunter2-secret" if verb == "AUTH" else "550 no")
        elif verb == "EHLO":
            line.say("250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN")
        elif verb == "STARTTLS":
            line.say("220 go")
            line = _secured(line.wire, context, stack)
        elif verb == "DATA":
            line.say("354 go")
            office.letters.append(line.letter())
            line.say("250 kept")
        else:
            line.say({"AUTH": "235 welcome", "QUIT": "221 bye"}.get(verb, "250 fine"))


class _Line:
    def __init__(self, wire: socket.socket) -> None:
        self.wire, self._file = wire, wire.makefile("rb", buffering=0)

    def say(self, text: str) -> None:
        self.wire.sendall(text.encode() + b"\r\n")

    def read(self) -> str | None:
        found = self._file.readline()
        return found.decode().rstrip("\r\n") if found else None

    def close(self) -> None:
        self._file.close()
        self.wire.close()

    def letter(self) -> str:
        lines = []
        while (line := self.read()) not in (None, "."):
            lines.append(str(line))
        return "\n".join(lines)


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


