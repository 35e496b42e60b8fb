"""What goes wrong while it soaks: one mishap after the other, drawn by a seed."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

from tests.daemon.fleet import Running, daemon
from tests.scale.ground import Crowd
from tests.servers.postgres import OwnPostgres


class Victim:
    """The daemon that is killed and frozen; a new one takes its place."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd, self._stack = crowd, ExitStack()
        self.running = self._start()

    def _start(self) -> Running:
        return self._stack.enter_context(daemon(self._crowd, "victim", {"WATCHDOG_USEC": ""}))

    def kill(self) -> None:
        """SIGKILL, then another start."""
        self.running.signal(signal.SIGKILL)
        self.running.process.wait(20)
        self._stack.close()
        self._stack = ExitStack()
        self.running = self._start()

    def freeze(self, seconds: float) -> None:
        """SIGSTOP past its leases."""
        self.running.signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.running.signal(signal.SIGCONT)

    def end(self) -> int:
        """SIGTERM; gives the exit code."""
        try:
            return self.running.stop()
        finally:
            self._stack.close()


class Chaos:
    """`next` plays one mishap and counts it."""

    def __init__(self, crowd: Crowd, server: OwnPostgres, victim: Victim, seed: int) -> None:
        self._crowd, self._server, self._victim = crowd, server, victim
        self._random = random.Random(seed)  # noqa: S311 - a plan, no secret
        self.played: Counter[str] = Counter()
        self._mishaps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("daemon killed", victim.kill),
            ("daemon frozen", lambda: victim.freeze(8)),
            ("Vault sealed", self._seal),
            ("PostgreSQL stopped", lambda: self._restart(server.down)),
            ("PostgreSQL crashed", lambda: self._restart(server.crash)),
        )

    def trouble(self) -> None:
        """From now on the orgs lose replies, are slow, fail and throttle, a little."""
        some = {"lost": 1, "delayed": 3, "failed": 1, "throttled": 0.5}  # per cent of the requests
        self._crowd.door("POST", "/chaos", {"on": True, "seed": 7, **some})

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self._crowd.door("POST", "/chaos", {"on": False})

    def next(self) -> None:
        """One mishap."""
        name, play = self._random.choice(self._mishaps)
        play()
        self.played[name] += 1

    def _seal(self) -> None:
        vault = self._crowd.real
        assert vault is not None
        vault.seal()
        time.sleep(5)
        vault.unseal()

    def _restart(self, stop: Callable[[], None]) -> None:
        stop()
        time.sleep(2)
        self._server.up()
