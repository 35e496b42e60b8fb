"""Where people's requests reach the daemon: they go on the board, ahead of what is scheduled."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rotator.daemon.board import Board, Job
from rotator.daemon.office import Office
from rotator.ports import Clock
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Setting

Json = dict[str, object]


class Door(Protocol):
    """What is opened before the daemon is ready, and closed when it has stopped: the control surface."""

    def open(self, desk: Desk) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lent:
    """An office at work for one request."""

    connections: Connections
    setting: Callable[[], Setting]


class Desk:
    """`office` gives the present one; `idle` the seconds since the last look for work, of which `late` are too many;
    `metrics` the page of that name with its media type."""

    def __init__(self, board: Board, office: Callable[[], Office], clock: Clock, idle: Callable[[], float],
                 late: Callable[[], float], metrics: Callable[[], tuple[bytes, str]]) -> None:
        self._board, self._office, self._clock, self._idle, self._late = board, office, clock, idle, late
        self.metrics = metrics
        self._lending = threading.Lock()
        self._since, self._started = clock.monotonic(), datetime.now(UTC)

    @contextmanager
    def lend(self) -> Iterator[Lent]:
        """The present office; its connections are not closed while it is lent."""
        with self._lending:
            office = self._office()
            office.lent += 1
        try:
            yield Lent(office.connections, office.errand_setting)
        finally:
            with self._lending:
                office.lent -= 1

    def work_at(self, errand: Errand, org: str, *, forced: bool = False) -> None:
        """Puts it on the board. Raises Unavailable when the daemon stops."""
        with self.lend() as lent:
            now = lent.connections.now()
        if self._board.hurry(Job(errand.app, org, errand, forced=forced)):
            errand.behind(now)

    def at_hand(self, errand: Errand) -> bool:
        """Whether it stands on the board still, in work or not."""
        return self._board.has(errand)

    def ticking(self) -> bool:
        """Whether the last look for work was lately."""
        return self._idle() <= self._late()

    def about(self) -> Json:
        """The daemon in a few words."""
        connections = self._office().connections
        return {
            "pid": os.getpid(),
            "version": connections.context.version,
            "host": connections.context.host,
            "started_at": self._started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "uptime_s": round(self._clock.monotonic() - self._since, 3),
            "config_hash": connections.loaded.hash,
            "database": connections.config.database.url,
            "apps": len(connections.apps),
            "at_hand": len(self._board.keys()),
            "in_work": self._board.busy(),
            "ticked_s_ago": round(self._idle(), 3),
        }
