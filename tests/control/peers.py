"""Callers that are other users: a small client as a process of its own, under another uid and other groups."""

from __future__ import annotations

import grp
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from tests.acceptance.scene import environment

# The standard library alone: another user may not be able to read the checkout.
CLIENT = """
import http.client, json, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(PATH)
PATH, asked = sys.argv[1], json.loads(sys.argv[2])
for method, place, body, headers in asked:
    ask = Unix("x", timeout=20)
    ask.request(method, place, json.dumps(body) if body is not None else None, headers)
    answer = ask.getresponse()
    print(json.dumps([answer.status, json.loads(answer.read())]))
"""
GROUPS = ("games", "news", "backup")  # groups that every Debian has, in the place of the three


@dataclass(frozen=True)
class User:
    """A user of the system, and the supplementary groups of its process."""

    uid: int
    groups: tuple[str, ...] = ()

    def prefix(self) -> list[str]:
        """What makes a command run as this user; nothing where it is ourselves."""
        if self.uid == os.geteuid():
            return []
        ids = ",".join(str(grp.getgrnam(name).gr_gid) for name in self.groups)
        more = f"--groups={ids}" if ids else "--clear-groups"
        return ["setpriv", f"--reuid={self.uid}", "--regid=65534", more]


def ask(user: User, socket: Path, *asked: tuple[str, str, Any]) -> list[tuple[int, Any]]:
    """The answers to these calls, as this user."""
    calls = json.dumps([[method, place, body, {}] for method, place, body in asked])
    command = [*user.prefix(), sys.executable, "-I", "-c", CLIENT, str(socket), calls]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment(), cwd="/")
    assert done.returncode == 0, done.stderr
    return [(status, body) for status, body in map(json.loads, done.stdout.splitlines())]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, as /run/rotator is."""
    folder = Path(tempfile.mkdtemp(prefix="rotator-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        rmtree(folder)
