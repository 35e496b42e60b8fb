"""What the surface needs of the daemon."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Setting

Json = dict[str, object]


class Lent(Protocol):
    """The present configuration at work."""

    @property
    def connections(self) -> Connections: ...
    @property
    def setting(self) -> Callable[[], Setting]:
        """Makes the setting of one errand, an owner of leases of its own."""


class Desk(Protocol):
    """Takes what people ask for. Threads may share it."""

    def lend(self) -> AbstractContextManager[Lent]:
        """The present configuration's connections, which stay open while inside, whatever is reloaded meanwhile."""

    def work_at(self, errand: Errand, org: str, *, forced: bool = False) -> None:
        """Puts it on the board, ahead of all that is scheduled; a forced one waits for no turn in hand. Raises
        Unavailable when the daemon stops."""

    def at_hand(self, errand: Errand) -> bool:
        """Whether it stands on the board still, in work or not."""

    def about(self) -> Json:
        """The daemon in a few words: pid, version, started_at, uptime_s, ..."""

    @property
    def metrics(self) -> Callable[[], tuple[bytes, str]]:
        """Gives the page of metrics and its media type."""

    def ticking(self) -> bool:
        """Whether it still looks for what is due."""
