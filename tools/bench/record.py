"""A go-between that writes down every call of the product, with the audit row that was the last when it came."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came, and how it was answered. Not for printing: it holds tokens (of a simulator)."""

    to: str  # org or vault
    method: str
    target: str  # path and query
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    after_row: int  # the last audit row that was committed when it came
    status: int = 0


@dataclass(slots=True)
class Recorder:
    """All calls in the order in which they came."""

    database: Path
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def last_row(self) -> int:
        """The newest audit row; 0 while there is none."""
        if not self.database.exists():
            return 0
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=5) as database:
            try:
                return int(database.execute("SELECT coalesce(max(seq), 0) FROM audit_events").fetchone()[0])
            except sqlite3.OperationalError:  # no tables yet
                return 0


class _Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body would else leave in two packets, and the second wait for the first's acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, recorder: Recorder, to: str, upstream: httpx.Client, *rest: object) -> None:
        self.recorder, self.to, self.upstream = recorder, to, upstream
        super().__init__(*rest)  # type: ignore[arg-type]

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in HOP}
        after = self.recorder.last_row()
        answer = self.upstream.request(self.command, self.path, headers=headers, content=body)
        call = Call(self.to, self.command, self.path, headers, body, after, answer.status_code)
        with self.recorder.lock:
            self.recorder.calls.append(call)
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        if answer.status_code != 204:
            self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = _pass

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""


@contextmanager
def between(recorder: Recorder, to: str, upstream: str) -> Iterator[str]:
    """Stands before a server; gives the address to use instead of its own."""
    with httpx.Client(base_url=upstream, timeout=30, trust_env=False, verify=False) as client:  # noqa: S501 - loopback
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Between, recorder, to, client))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
