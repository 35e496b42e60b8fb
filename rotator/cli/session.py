"""What a command stands on: a hardened process, a log, a configuration and its connections."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rotator import log, process
from rotator.cli import owner
from rotator.cli.base import Common, common

if TYPE_CHECKING:
    from rotator.config import Loaded
    from rotator.control.client import Daemon
    from rotator.wiring.connections import Connections
    from rotator.wiring.outside import Outside

LOG = log.get("cli")


@dataclass
class Session:
    """One command at work."""

    common: Common
    stop: process.Stop
    clock: process.SystemClock
    stack: ExitStack
    _loaded: list[Loaded] = field(default_factory=list)  # by `daemon` or `read_ahead`, for the next `connect`

    def load(self) -> Loaded:
        """The configuration; its warnings go where the log goes, to a terminal in plain words. Raises ConfigError with
        every mistake."""
        from rotator.cli.out import note
        from rotator.config import load

        loaded = load(self.common.config, os.environ)
        LOG.info(log.Word.CONFIG_LOADED, file=self.common.config, config_hash=loaded.hash)
        for warning in loaded.warnings:
            if not sys.stderr.isatty():
                LOG.warning(log.Word.CONFIG_WARNING, file=self.common.config, message=warning)
            elif self.common.log_level != "error":
                note(f"warning: {warning}")
        return loaded

    def read_ahead(self) -> None:
        """Loads for the `connect` that follows. Raises as `load`."""
        self._loaded.append(self.load())

    def connect(self, outside: Outside | None = None) -> Connections:
        """The connections that the configuration leads to, as the owner of the database. Closed with the session.
        `outside`: what the process remembers of the far sides, where it reads its configuration more than once."""
        from rotator.wiring.connections import Connections

        loaded = self._loaded.pop() if self._loaded else self.load()
        owner.become(loaded.config.database.url)
        made = Connections(loaded, self.clock, host=socket.gethostname(), version=version("rotator"), outside=outside)
        self.stack.callback(made.close)
        return made

    def daemon(self) -> Daemon | None:
        """The running daemon of this configuration; None where there is none, and the command does the work itself.

        Who may not read the configuration asks at the default socket. Raises what `reach` raises.
        """
        from rotator.config.control import DEFAULT_SOCKET
        from rotator.control.client import reach
        from rotator.wiring.asking import behind_sudo

        loaded = self.load() if _readable(self.common.config) else None
        place = loaded.config.control.socket if loaded is not None else DEFAULT_SOCKET
        ours = version("rotator")
        found = reach(Path(place), ours, behind_sudo(os.environ)) if place else None
        if loaded is not None:
            self._loaded.append(loaded)
            if found is not None and found[1]["database"] != loaded.config.database.url:
                LOG.warning(log.Word.ANOTHER_DAEMON, file=place, message="it works on another database")
                return None
        return self._same_version(*found, ours) if found is not None else None

    def _same_version(self, daemon: Daemon, about: Mapping[str, object], ours: str) -> Daemon:
        if about["version"] != ours:
            LOG.warning(log.Word.ANOTHER_VERSION, version=about["version"],
                        fix="restart the daemon after an upgrade: `systemctl restart rotator`")
        return daemon


def _readable(config: Path) -> bool:
    """Whether this user may read the configuration; one that is not there is for the reader to tell."""
    try:
        config.open("rb").close()
    except PermissionError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def session(context: click.Context, log_level: str = "warning") -> Iterator[Session]:
    """A command's surroundings; inside, SIGTERM and SIGINT become a request to stop. `log_level`: the usual one."""
    denied = process.harden()
    given = common(context, log_level)
    stop = process.Stop()
    with ExitStack() as stack:
        stack.callback(stop.close)
        stack.enter_context(log.set_up(given.log_level, stdout_taken=given.as_json))
        stack.enter_context(process.signals(stop))
        for protection in denied:
            LOG.info(log.Word.NOT_HARDENED, message=protection)
        yield Session(given, stop, process.SystemClock(stop), stack)
