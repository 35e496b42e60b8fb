"""The metrics of a process: what it hears of the far sides and of its rotations, and the page of it all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rotator.adapters.answer import Exchange
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation
from rotator.metrics.meters import Meters, outcome_of
from rotator.metrics.render import render, write
from rotator.saga.worker import Report
from rotator.wiring.connections import Connections
from rotator.wiring.gauges import Early, fleet


def hears(meters: Meters) -> Callable[[str, Exchange], None]:
    """A listener for Outside that counts every call."""

    def heard(side: str, call: Exchange) -> None:
        meters.call(side, call.method, call.path, outcome_of(call.status, call.reason), call.seconds)

    return heard


def reports(meters: Meters, then: Report) -> Report:
    """A report that counts every step, and passes it on."""

    def report(event: Event, row: Rotation) -> None:
        meters.step(event, row)
        then(event, row)

    return report


class Page:
    """The page of `/metrics`. Kept by a process that is asked for it again and again."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._of: Connections | None = None
        self._early: Early = {}

    def render(self, connections: Connections) -> tuple[bytes, str]:
        """The text and its content type. Raises what a read of the database raises, but that it is down."""
        if self._of is not connections:
            self._of, self._early = connections, {}
        return render(fleet(connections, self._early), self._meters)


def write_textfile(connections: Connections, meters: Meters) -> None:
    """Writes the page to `[metrics] textfile`; nothing where none is named. Raises ConfigError."""
    if connections.config.metrics.textfile:
        write(Path(connections.config.metrics.textfile), Page(meters).render(connections)[0])
