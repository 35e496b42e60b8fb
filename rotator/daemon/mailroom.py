"""The daemon's senders: a thread for each channel, a few for hooks, one that looks for what must be told.

None of them ever touches a rotation, so a channel that hangs delays nothing but itself.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from rotator import log
from rotator.domain.errors import LedgerUnavailable, RotatorError
from rotator.domain.notice import Notice, Status, Topic
from rotator.notify.postman import Postman
from rotator.wiring import notices
from rotator.wiring.connections import Connections

LOG = log.get("notify")
PAUSE = 2.0  # seconds between two looks into an empty outbox
LOOK = 300.0  # seconds between two looks for what is overdue
BEAT = 15.0  # seconds between two looks whether the database answers
DOWN = 120.0  # seconds after which a database that does not answer is told, past the outbox
STILL_DOWN = 3600.0  # seconds after which that is told again
LAST_ROUND = 5.0  # seconds for what waits when the daemon ends


class Mailroom:
    """One shift of senders at a time, for one configuration."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._shift: _Shift | None = None

    def open(self, connections: Connections) -> None:
        """Begins to carry. A shift of an older configuration ends after what it has in hand."""
        if self._shift is not None:
            self._shift.end()
        self._shift = _Shift(connections, self._monotonic) if notices.in_use(connections) else None
        if self._shift is not None:
            self._shift.start()

    def close(self, seconds: float = LAST_ROUND) -> None:
        """Carries what is due for at most so long; hooks that still run are ended, and run again at the next start."""
        if self._shift is not None:
            self._shift.finish(seconds)


class _Shift:
    def __init__(self, connections: Connections, monotonic: Callable[[], float]) -> None:
        self._connections, self._monotonic = connections, monotonic
        self._ending, self._halt = threading.Event(), threading.Event()
        men = notices.postmen(connections, self._halt.is_set)
        self._threads = [threading.Thread(target=self._carry, args=(man,), name=f"notify-{man.channel}", daemon=True)
                         for man in men]  # fmt: skip
        self._threads.append(threading.Thread(target=self._watch, name="notify-watch", daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ending.set()

    def finish(self, seconds: float) -> None:
        self.end()
        self._join(seconds)
        self._halt.set()
        self._join(notices.HOOK_MERCY)

    def _join(self, seconds: float) -> None:
        until = self._monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - self._monotonic()))

    def _carry(self, man: Postman) -> None:
        """Until the end, and then as long as something is due."""
        while not self._halt.is_set():
            if not _turn(man) and self._ending.wait(PAUSE):
                return

    def _watch(self) -> None:
        watch = Watch(self._connections, self._monotonic)
        while not self._ending.wait(BEAT if watch.looked else PAUSE):
            try:
                watch.beat()
            except Exception as error:  # a defect: the next beat may be better
                _crashed(error)


def _turn(man: Postman) -> bool:
    try:
        return man.turn()
    except RotatorError:
        return False  # the database does not answer: the daemon says so by itself
    except Exception as error:  # a defect in one channel: the others go on
        _crashed(error)
        return False


def _crashed(error: Exception) -> None:
    LOG.error(log.Word.CRASHED, error=error)


class Watch:
    """Looks for what must be told, and whether the database can be told at all."""

    def __init__(self, connections: Connections, monotonic: Callable[[], float]) -> None:
        self._connections, self._monotonic = connections, monotonic
        self._next_look = self._next_cry = 0.0
        self._down_since: float | None = None
        self._cried = self.looked = False

    def beat(self) -> None:
        """One look. Raises nothing that is ours."""
        now = self._monotonic()
        try:
            if now >= self._next_look:
                notices.look(self._connections)
                self._next_look, self.looked = now + LOOK, True
            else:
                self._connections.now()
        except LedgerUnavailable as error:
            self._down(now, error)
        except RotatorError:
            self._next_look = now + LOOK  # the daemon's own look meets it too, and says so
        else:
            self._up()

    def _down(self, now: float, error: RotatorError) -> None:
        if self._down_since is None:
            self._down_since = self._next_cry = now
        if now - self._down_since >= DOWN and now >= self._next_cry:
            self._cry(Status.FIRING, error.message, error.fix, error.code)
            self._next_cry, self._cried = now + STILL_DOWN, True

    def _up(self) -> None:
        if self._cried:
            self._cry(Status.RESOLVED, "the database answers again", "", "")
        self._down_since, self._cried = None, False

    def _cry(self, status: Status, message: str, fix: str, reason: str) -> None:
        host = self._connections.context.host
        said = Notice(Topic.FAILING, status, f"daemon/{host}/{Topic.FAILING}", message, fix, reason, host=host)
        with contextlib.suppress(RotatorError):  # nobody is configured
            for told in notices.tell_directly(self._connections, said):
                if told.error is not None:
                    LOG.warning(log.Word.NOTICE_DELAYED, channel=told.channel, topic=said.topic.value, error=told.error)
