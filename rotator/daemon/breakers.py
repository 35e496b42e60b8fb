"""Circuit breakers: a far side that does not answer is left alone for a while, then asked by one job alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum

from rotator import log
from rotator.adapters.answer import Exchange
from rotator.daemon.setbacks import Setbacks

LOG = log.get("daemon")
MOST = 10  # calls in a row without an answer: more than the short retries of two rotations
WITHIN = 60.0  # seconds, from the first of them
DOWN = (429, 472, 473)  # and 500 and more: throttled, and a Vault that does not serve


class Breaker(StrEnum):
    """Whether jobs of a far side are begun."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # one job at a time


def serves(call: Exchange) -> bool:
    """Whether the far side does its work, be the answer a yes or a no."""
    return 0 < call.status < 500 and call.status not in DOWN


class Breakers:
    """By far side: an org's name, or "" for Vault. Threads may share it. A process knows only what it heard itself.

    The waits are those of a Setbacks: 5 to 10 s, 10 to 20 s, ... at most 300, jittered.
    """

    def __init__(self, monotonic: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._setbacks = Setbacks(monotonic, jitter)
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[int, float]] = {}  # side -> failures in a row, and when the first was

    def heard(self, side: str, call: Exchange) -> None:
        """A call is over."""
        if serves(call):
            self._answered(side)
        elif self._too_many(side) and not self._setbacks.bars(side):
            LOG.warning(log.Word.BREAKER_OPEN, where=side or "vault", wait_s=self._setbacks.add(side))

    def state(self, side: str) -> Breaker:
        """Now."""
        if self._setbacks.bars(side):
            return Breaker.OPEN
        return Breaker.HALF_OPEN if self._setbacks.knows(side) else Breaker.CLOSED

    def left(self, side: str) -> float:
        """Seconds until the next try."""
        return self._setbacks.left(side)

    def _answered(self, side: str) -> None:
        with self._lock:
            self._failed.pop(side, None)
        if self._setbacks.knows(side):
            self._setbacks.over(side)
            LOG.info(log.Word.BREAKER_CLOSED, where=side or "vault")

    def _too_many(self, side: str) -> bool:
        """One more failure; whether they are too many. After the first opening one is too many."""
        now = self._monotonic()
        with self._lock:
            count, since = self._failed.get(side, (0, now))
            if now - since > WITHIN:
                count, since = 0, now
            self._failed[side] = (count + 1, since)
        return count + 1 >= MOST or self._setbacks.knows(side)
