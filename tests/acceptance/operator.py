"""The operator of a classic connected app: a browser in Setup, and hands at a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.acceptance.scene import Done, Scene, environment, program

LEGACY = """
[apps.legacy]
org = "acme"
kind = "connected_app"
app = "Legacy"
vault_path = "salesforce/acme/legacy"
"""


class Operator:
    """Has a classic app `legacy` in the scene's org and configuration, and Setup open."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.app = scene.door("POST", "/orgs/acme/apps", {"name": "legacy", "kind": "connected_app"})
        scene.config.write_text(scene.config.read_text() + LEGACY)

    @property
    def old(self) -> tuple[str, str]:
        """The pair that the app began with."""
        return self.app["client_id"], self.app["client_secret"]

    # --- in the browser

    def click(self, *buttons: str) -> dict[str, Any]:
        """Clicks one after the other; answers the identity check."""
        page: dict[str, Any] = {}
        for button in buttons:
            page = self.scene.door("POST", "/orgs/acme/setup", {"click": button})
            if page["page"] == "Verify Your Identity":
                code = self.scene.door("GET", "/orgs/acme/setup")["mail"]
                page = self.scene.door("POST", "/orgs/acme/setup", {"code": code})
        return page

    def follow(self, fix: str) -> dict[str, Any]:
        """Walks the clicks of a printed line, and nothing else."""
        self.scene.door("POST", "/orgs/acme/setup", {"start": "admin@acme.example"})
        (path,) = re.findall(r"in Setup: ([^;.]*)", fix)
        return self.click(*path.split(", "))

    def generate(self) -> tuple[str, str]:
        """A new pair."""
        self.scene.door("POST", "/orgs/acme/setup", {"start": "admin@acme.example"})
        page = self.click("App Manager", "Legacy", "View", "Manage Consumer Details", "Generate")
        return page["staged_key"], page["staged_secret"]

    def apply(self) -> None:
        """What was generated last."""
        self.scene.door("POST", "/orgs/acme/setup", {"start": "admin@acme.example"})
        self.click("App Manager", "Legacy", "View", "Manage Consumer Details", "Apply", "Confirm", "Confirm")

    # --- at the keyboard

    def receive(self, pair: tuple[str, str], *words: str) -> Done:
        """`rotator receive`, the pair at its standard input."""
        command = ("--config", str(self.scene.config), "--json", "receive", "legacy", *words)
        return program(*command, given="\n".join(pair) + "\n")


class Terminal:
    """A command at a pseudo-terminal of its own, which is its controlling terminal."""

    def __init__(self, command: list[str]) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:  # pragma: no cover - becomes the command
            os.execve(command[0], command, environment({"TERM": "dumb"}))  # noqa: S606
        self.seen, self.ended = "", False

    def wait_for(self, text: str, seconds: float = 120) -> None:
        """Until this stands on the screen, after what was waited for before."""
        deadline = time.monotonic() + seconds
        start = len(self.seen)
        while text not in self.seen[start:]:
            assert time.monotonic() < deadline, f"{text!r} never came: {self.seen[-2000:]}"
            if not self._read():
                assert text in self.seen[start:], f"it ended without {text!r}: {self.seen[-2000:]}"

    def type(self, text: str) -> None:
        """Types a line."""
        os.write(self._end, (text + "\n").encode())

    def kill(self) -> None:
        """The terminal is closed and its program killed, as when a laptop dies."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> int:
        """Reads to the end; gives the exit code."""
        while self._read():
            pass
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.ended = True
        return code

    def _read(self) -> bool:
        if not select.select([self._end], [], [], 0.2)[0]:
            return True
        try:
            part = os.read(self._end, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += part.decode(errors="replace")
        return bool(part)

    def close(self) -> None:
        """Nothing of it is left."""
        os.close(self._end)


@contextmanager
def terminal(command: list[str]) -> Iterator[Terminal]:
    """A terminal that is closed in the end; its program is ended with it."""
    opened = Terminal(command)
    try:
        yield opened
    finally:
        opened.close()
        if not opened.ended:
            opened.kill()
            os.waitpid(opened.pid, 0)
