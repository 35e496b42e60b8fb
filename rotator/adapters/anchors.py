"""The places that keep anchors: a folder, the journal, syslog, a webhook, an object path; one line of JSON for each."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from rotator.adapters.http import Http, TransportError
from rotator.domain.anchor import Anchor, read_anchor
from rotator.domain.errors import RotatorError, Unavailable, Unintelligible

JOURNAL, SYSLOG = "/run/systemd/journal/socket", "/dev/log"
NOTICE = 5  # priority of syslog(3): normal, but significant
_DAEMON = 3  # facility
DEADLINE = 10.0  # seconds of one call


class Sink(Protocol):
    """One place. `name` is what the configuration calls it."""

    name: str

    def put(self, anchor: Anchor) -> None:
        """Keeps it; durable when it returns, as far as the place can say. Raises Unavailable."""


class Folder:
    """`file:/folder`: one file a month, one anchor a line, in the order they were made."""

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = f"file:{folder}", folder

    def put(self, anchor: Anchor) -> None:
        """See Sink."""
        try:
            self._folder.mkdir(mode=0o750, exist_ok=True)
            with self._open(self._folder / f"anchors-{anchor.at[:7]}.jsonl") as out:
                os.write(out, (anchor.text() + "\n").encode())
                os.fsync(out)
            with _opened(self._folder, os.O_RDONLY | os.O_DIRECTORY) as folder:
                os.fsync(folder)
        except OSError as error:
            raise _no(self.name, error) from None

    @contextlib.contextmanager
    def _open(self, file: Path) -> Iterator[int]:
        with _opened(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as out:
            yield out

    def files(self) -> list[Path]:
        """The files, oldest month first."""
        return sorted(self._folder.glob("anchors-*.jsonl"))

    def newest_first(self) -> Iterator[Anchor]:
        """The anchors from the last one back. What cannot be read is passed over: a start must not stop for that."""
        for file in reversed(self.files()):
            lines: list[str] = []
            with contextlib.suppress(OSError):
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            for line in reversed(lines):
                with contextlib.suppress(RotatorError):
                    yield read_anchor(line)


class Journal:
    """`journal`: systemd's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), so that a forwarder finds the field."""

    name = "journal"

    def __init__(self, address: str = JOURNAL) -> None:
        self._address = address

    def put(self, anchor: Anchor) -> None:
        """See Sink."""
        fields = {"MESSAGE": f"audit anchor: row {anchor.seq}, {anchor.hash}", "PRIORITY": NOTICE,
                  "SYSLOG_IDENTIFIER": "rotator", "ROTATOR_ANCHOR": anchor.text()}  # fmt: skip
        _datagram(self.name, self._address, "".join(f"{name}={value}\n" for name, value in fields.items()).encode())


class Syslog:
    """`syslog`: the local daemon, which forwards (RFC 3164 as /dev/log takes it)."""

    name = "syslog"

    def __init__(self, address: str = SYSLOG) -> None:
        self._address = address

    def put(self, anchor: Anchor) -> None:
        """See Sink."""
        _datagram(self.name, self._address, f"<{_DAEMON * 8 + NOTICE}>rotator: {anchor.text()}".encode())


class Web:
    """`webhook:https://...` posts each anchor to one address; `https://.../folder` puts each as an object of its own,
    named by its row, as object stores with a retention lock want it."""

    def __init__(self, written: str, tls: ssl.SSLContext) -> None:
        self.name = written
        address = urlsplit(written.removeprefix("webhook:"))
        self._posts = written.startswith("webhook:")
        self._path, self._query = address.path.rstrip("/"), dict(parse_qsl(address.query))
        self._http = Http(f"{address.scheme}://{address.netloc}", tls=tls, deadline=DEADLINE)

    def put(self, anchor: Anchor) -> None:
        """See Sink."""
        path = (self._path or "/") if self._posts else f"{self._path}/{anchor.seq:012d}-{anchor.id}.json"
        try:
            with self._http:
                answer = self._http.call("POST" if self._posts else "PUT", path, params=self._query,
                                         headers={"content-type": "application/json"},
                                         content=anchor.text().encode())  # fmt: skip
        except TransportError as error:
            raise Unavailable(f"{_bare(self.name)} does not take the anchor: {error}") from None
        if not 200 <= answer.status < 300:
            raise Unavailable(f"{_bare(self.name)} answers {answer.status}", http_status=answer.status,
                              fix="look at the rights of the rotator there")  # fmt: skip


def sink_of(written: str, tls: ssl.SSLContext) -> Sink:
    """The place that the configuration names."""
    if written.startswith("file:"):
        return Folder(Path(written.removeprefix("file:")))
    if written == "journal":
        return Journal()
    return Syslog() if written == "syslog" else Web(written, tls)


def read_file(file: Path) -> list[Anchor]:
    """Every anchor of a file. Raises Unintelligible, naming the line."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        try:
            found += [read_anchor(line)] if line.strip() else []
        except Unintelligible as error:
            raise Unintelligible(f"{file}:{number}: {error.message}", code=error.code, fix=error.fix) from None
    return found


def _datagram(name: str, address: str, data: bytes) -> None:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(DEADLINE)
            sender.sendto(data, address)
    except OSError as error:
        raise _no(name, error) from None


@contextlib.contextmanager
def _opened(file: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(file, flags | os.O_CLOEXEC, 0o640)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _no(name: str, error: OSError) -> Unavailable:
    return Unavailable(f"{name} does not take the anchor: {error.strerror}", fix="see [audit] anchors")


def _bare(written: str) -> str:
    """An address without its query, which may be a key."""
    return written.partition("?")[0]
