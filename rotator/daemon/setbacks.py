"""What could not be worked on and has no row that says when to try again is left alone for a while: an app, or a
whole far side (breakers.py)."""

from __future__ import annotations

import threading
from collections.abc import Callable

FIRST, LONGEST = 5.0, 300.0  # seconds


class Setbacks:
    """Threads may share it. Remembered by this process alone: a restart tries at once."""

    def __init__(self, monotonic: Callable[[], float], jitter: Callable[[], float]) -> None:
        self._monotonic, self._jitter = monotonic, jitter
        self._lock = threading.Lock()
        self._until: dict[str, tuple[int, float]] = {}

    def add(self, key: str) -> float:
        """One more; gives the seconds for which it is left alone: 5 to 10, 10 to 20, ... at most 300."""
        with self._lock:
            tries = self._until.get(key, (0, 0.0))[0] + 1
            doubled: int = 2 ** min(tries, 16)
            pause = min(LONGEST, FIRST * doubled * (1 + self._jitter()) / 2)
            self._until[key] = (tries, self._monotonic() + pause)
            return pause

    def over(self, key: str) -> None:
        """It went well."""
        with self._lock:
            self._until.pop(key, None)

    def forget(self) -> None:
        """All are tried again: the configuration is another one."""
        with self._lock:
            self._until.clear()

    def knows(self, key: str) -> bool:
        """Whether it went wrong, and not well since."""
        with self._lock:
            return key in self._until

    def bars(self, key: str) -> bool:
        """Whether it is left alone now."""
        return self.left(key) > 0

    def left(self, key: str) -> float:
        """The seconds for which it is still left alone; 0: it is not."""
        with self._lock:
            return max(0.0, self._until.get(key, (0, float("-inf")))[1] - self._monotonic())
