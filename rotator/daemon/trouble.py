"""What keeps the daemon from working on an app or an org, told to a human: at once where only a human can mend it,
after a while where it may pass."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable

from rotator.domain.errors import RotatorError, Unavailable
from rotator.domain.notice import Notice, Status, Topic, app_key

LASTS = 300.0  # seconds for which an org may be down before anybody is told

Tell = Callable[[Iterable[Notice]], None]


class Trouble:
    """Threads may share it. `tell` writes notices; one that cannot be written is lost: the next trouble tells again."""

    def __init__(self, tell: Tell, monotonic: Callable[[], float]) -> None:
        self._tell, self._monotonic = tell, monotonic
        self._lock = threading.Lock()
        self._down: dict[str, float] = {}  # org -> since when
        self._fine: set[str] = set()  # keys that are known not to be told

    def met(self, app: str, org: str, error: RotatorError) -> None:
        """An app could not be worked on. An org that does not answer is one trouble, however many apps it has."""
        passes = isinstance(error, Unavailable)
        key = org_key(org) if passes else app_key(app, Topic.FAILING)
        with self._lock:
            now = self._monotonic()
            if passes and now - self._down.setdefault(org, now) < LASTS:
                return
            self._fine.discard(key)
        self._say([Notice(Topic.FAILING, Status.FIRING, key, error.message, error.fix, error.code,
                          app="" if passes else app, org=org)])  # fmt: skip

    def over(self, app: str, org: str) -> None:
        """It was worked on: what was told of it, by this process or one before, is over."""
        keys = {org_key(org), app_key(app, Topic.FAILING)}
        with self._lock:
            self._down.pop(org, None)
            ended = sorted(keys - self._fine)
            self._fine |= keys
        self._say([Notice(Topic.FAILING, Status.RESOLVED, key, "it works again", org=org,
                          app="" if key == org_key(org) else app) for key in ended])  # fmt: skip

    def _say(self, notices: list[Notice]) -> None:
        with contextlib.suppress(RotatorError):
            self._tell(notices)


def org_key(org: str) -> str:
    """The key of an org that cannot be worked with."""
    return f"org/{org}/{Topic.FAILING}"
