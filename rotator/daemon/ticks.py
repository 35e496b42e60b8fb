"""APScheduler, which only says "look now": what is due stands in our own tables, so a lost tick costs nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

SHORTEST = 0.1  # seconds: `tick = "0s"` means as often as makes sense
JOB = "tick"


class Ticks:
    """Calls `tick` every so many seconds in a thread of its own, never twice at once, however late. `tick` must not
    raise."""

    def __init__(self, tick: Callable[[], None]) -> None:
        # The defaults of APScheduler drop what is a second late.
        usual = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults=usual, executors={"default": ThreadPoolExecutor(1)}
        )
        self._tick = tick
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick that outlasts its interval is no news

    def start(self, seconds: float) -> None:
        """The first tick comes after this time."""
        self._scheduler.add_job(self._tick, "interval", seconds=max(SHORTEST, seconds), id=JOB)
        self._scheduler.start()

    def pace(self, seconds: float) -> None:
        """Another interval from now on."""
        self._scheduler.reschedule_job(JOB, trigger="interval", seconds=max(SHORTEST, seconds))

    def stop(self) -> None:
        """No tick begins any more; the one in hand is not waited for."""
        self._scheduler.shutdown(wait=False)
