"""A scene with a running daemon: every command of the test goes through its socket."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.acceptance.scene import Door, Scene, environment, until
from tests.daemon.fleet import Running, listening

CONTROL = """
[control]
socket = "{socket}"
{more}
"""


class Served(Scene):
    """The same world and configuration, and a daemon that begins nothing by itself."""

    daemon: Running | None = None
    more = ""

    def __init__(self, door: Door, folder: Path, seed: int = 7) -> None:
        self.socket = folder / "control.sock"
        super().__init__(door, folder, seed)

    def configure(self, **changes: str) -> None:
        """Writes the configuration anew, and lets the daemon take it."""
        quiet = {app: f"{changes.get(app, '')}\nenabled = false" for app in ("billing", "orders")
                 if "enabled" not in changes.get(app, "")}  # fmt: skip
        super().configure(**{**changes, **quiet})
        with self.config.open("a") as file:
            file.write(CONTROL.format(socket=self.socket, more=self.more))
        if self.daemon is not None:
            self.reload(self.daemon)

    def reload(self, daemon: Running) -> None:
        """SIGHUP, and waits until it was taken."""
        times = self.readies(daemon)
        daemon.signal(signal.SIGHUP)
        until(lambda: self.readies(daemon) > times)

    def readies(self, daemon: Running) -> int:
        """How often it said that it is ready."""
        return len([message for message in daemon.heard if "READY=1" in message])

    @contextmanager
    def running(self, name: str = "one") -> Iterator[Running]:
        """The daemon at work."""
        command = self.command("run")
        with listening(command, self.folder, name) as daemon:
            self.daemon = daemon.ready()
            try:
                yield daemon
            finally:
                self.daemon = None
                daemon.signal(signal.SIGKILL)
                daemon.process.wait(10)

    def client(self, **more: str) -> httpx.Client:
        """HTTP to the daemon, as this user."""
        transport = httpx.HTTPTransport(uds=str(self.socket))
        return httpx.Client(transport=transport, base_url="http://rotator", headers=more, timeout=30, trust_env=False)


def as_user(uid: int, gid: int, groups: tuple[int, ...], command: list[str], folder: Path) -> tuple[int, str]:
    """Runs a command as another user with these groups; its code and what it said."""
    more = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
    done = subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={gid}", more, *command], capture_output=True,
                          text=True, check=False, timeout=60, env=environment(), cwd=folder)  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def is_root() -> bool:
    """Only root may become others."""
    return os.geteuid() == 0
