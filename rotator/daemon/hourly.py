"""What is looked at every minute beside the rotations, in a thread of its own: the hourly anchor of the trail."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rotator import log
from rotator.domain.errors import RotatorError

LOG = log.get("daemon")
PAUSE = 60.0  # seconds between two looks


class Hourly:
    """`work` says itself whether it is time, and may take long: a place that keeps anchors may be slow or away."""

    def __init__(self, work: Callable[[], object], monotonic: Callable[[], float]) -> None:
        self._work, self._monotonic = work, monotonic
        self._next = monotonic()
        self._thread: threading.Thread | None = None

    def beat(self) -> None:
        """Called at each tick; never waits. A look that is still under way is left to itself."""
        at_work = self._thread is not None and self._thread.is_alive()
        if at_work or self._monotonic() < self._next:
            return
        self._next = self._monotonic() + PAUSE
        self._thread = threading.Thread(target=self._look, name="hourly", daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Waits for a look that is under way, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _look(self) -> None:
        try:
            self._work()
        except Exception as error:  # a defect, if it is none of ours: the daemon goes on
            _told(error)


def _told(error: Exception) -> None:
    LOG.error(log.Word.ANCHOR_FAILED if isinstance(error, RotatorError) else log.Word.CRASHED, error=error)
