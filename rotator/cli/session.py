"""What a command stands on: a hardened process, a log, a configuration and its connections."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from rotator import log, process
from rotator.cli import owner
from rotator.cli.base import Common, common

if TYPE_CHECKING:
    from rotator.config import Loaded
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
    _connections: list[Connections] = field(default_factory=list)

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

    def connect(self, outside: Outside | None = None) -> Connections:
        """The connections that the configuration leads to, as the owner of the database. Closed with the session.
        `outside`: what the process remembers of the far sides, where it reads its configuration more than once."""
        from rotator.wiring.connections import Connections

        loaded = self.load()
        owner.become(loaded.config.database.url)
        made = Connections(loaded, self.clock, host=socket.gethostname(), version=version("rotator"), outside=outside)
        self.stack.callback(made.close)
        return made


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
