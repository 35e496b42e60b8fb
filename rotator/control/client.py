"""The running daemon as a command sees it: its socket, over the standard library's HTTP."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rotator.domain.errors import RotatorError, Unavailable, UsageError

Json = dict[str, Any]
CONNECT_S = 5.0
ANSWER_S = 60.0  # for a look; a stream says every ten seconds that the daemon lives
NO_DAEMON = (FileNotFoundError, ConnectionRefusedError, NotADirectoryError)


class Answered(RotatorError):
    """An error that the daemon answered with; `document` is the contract's."""

    def __init__(self, document: Json) -> None:
        first = document["errors"][0]
        super().__init__(first["message"], fix=first["fix"], code=first["code"], where=first.get("where") or "")
        self.exit_code, self.document = int(document["exit"]), document


class _Unix(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connects."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_S)
        self.sock.connect(str(self._path))
        self.sock.settimeout(self.timeout)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that answers at `path`. `version` is ours; `behind` is whom root acts for, by sudo."""

    path: Path
    version: str
    behind: str = ""

    def get(self, place: str, **query: object) -> Json:
        """A look. Raises Answered, Unavailable."""
        given = {name: value for name, value in query.items() if value not in ("", None)}
        return self._document("GET", f"{place}?{urlencode(given)}" if given else place)

    def post(self, place: str, body: Mapping[str, object]) -> Json:
        """A change. Raises as `get`."""
        return self._document("POST", place, body)

    def lines(self, place: str, body: Mapping[str, object]) -> Iterator[Json]:
        """An order, with progress as it comes; the last line is its result. Raises as `get`."""
        answer = self._ask("POST", place, body, {"accept": "application/x-ndjson"})
        try:
            if answer.status != 200:
                raise _error(answer)
            while line := answer.readline():
                yield json.loads(line)
        except (OSError, HTTPException, ValueError):
            raise _lost() from None

    def _document(self, method: str, place: str, body: Mapping[str, object] | None = None) -> Json:
        answer = self._ask(method, place, body, {})
        if answer.status != 200:
            raise _error(answer)
        try:
            found: Json = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            raise _lost() from None
        return found

    def _ask(self, method: str, place: str, body: Mapping[str, object] | None, more: Mapping[str, str]) -> HTTPResponse:
        headers = {"content-type": "application/json", "rotator-version": self.version, **more}
        if self.behind:
            headers["rotator-sudo-user"] = self.behind
        connection = _Unix(self.path, ANSWER_S)
        try:
            connection.request(method, place, json.dumps(body) if body is not None else None, headers)
            return connection.getresponse()
        except (OSError, HTTPException):
            raise _lost() from None


def reach(path: Path, version: str, behind: str = "") -> tuple[Daemon, Json] | None:
    """The daemon at this socket and what it says of itself; None where none listens.

    Raises UsageError where this user may not reach it, or the versions do not go together; Answered where the daemon
    says no.
    """
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return None
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(CONNECT_S)
            probe.connect(str(path))
    except NO_DAEMON:
        return None
    except PermissionError:
        raise UsageError(f"this user may not use {path}", code="not_a_member",
                         fix=f"{_membership(path)}, then log in anew") from None
    except OSError as error:
        raise Unavailable(f"the daemon at {path} does not answer: {error.strerror}",
                          fix="see `systemctl status rotator`") from None
    daemon = Daemon(path, version, behind)
    about = daemon.get("/daemon")
    _must_fit(about, version)
    return daemon, about


def _membership(path: Path) -> str:
    """Which group is missing."""
    import grp

    try:
        name = grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        name = "rotator-view"
    return f"`usermod -aG {name} USER`"


def _must_fit(about: Json, version: str) -> None:
    """Raises UsageError where the major versions differ."""
    theirs = str(about.get("version", ""))
    if theirs.partition(".")[0] != version.partition(".")[0]:
        raise UsageError(f"the daemon is rotator {theirs}, this command is rotator {version}: they do not go together",
                         code="version", fix="restart the daemon after an upgrade: `systemctl restart rotator`")


def _error(answer: HTTPResponse) -> RotatorError:
    try:
        return Answered(json.loads(answer.read()))
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return Unavailable(f"the daemon answered {answer.status}, and not as a rotator does",
                           fix="what else listens at [control] socket?")


def _lost() -> Unavailable:
    return Unavailable("the daemon ended, or does not answer", code="daemon_lost",
                       fix="run the command again: what was begun goes on; see `systemctl status rotator`")
