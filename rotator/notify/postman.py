"""Carries what waits in the outbox: claims, sends, says what came of it. One channel's silence delays no other's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rotator import log
from rotator.domain.errors import RotatorError, Unavailable
from rotator.domain.notice import Parcel
from rotator.notify.wire import Sender

LOG = log.get("notify")
FIRST, LONGEST = 5.0, 3600.0  # seconds between two tries of one notice
MOST = 50  # tries of one notice: more than its life has room for
CLAIM = 120.0  # seconds: longer than any sender needs, so that two do not send the same


class Box(Protocol):
    """The outbox, as its senders see it. Raises as every call to the database does."""

    def due(self, channel: str) -> bool: ...
    def claim(self, channel: str, owner: str, seconds: float) -> Parcel | None: ...
    def sent(self, parcel: Parcel, owner: str) -> None: ...
    def give_up(self, parcel: Parcel, owner: str, error: str) -> None: ...
    def put_off(self, parcel: Parcel, owner: str, seconds: float, error: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Postman:
    """One channel's. `owner` names the sender and is unlike any other; `jitter` gives numbers in [0, 1)."""

    channel: str
    sender: Sender
    box: Box
    owner: str
    jitter: Callable[[], float]
    claim: float = CLAIM  # seconds

    def turn(self) -> bool:
        """Carries the oldest notice that is due. False where none is. Raises what the database raises."""
        parcel = self.box.claim(self.channel, self.owner, self.claim) if self.box.due(self.channel) else None
        if parcel is None:
            return False
        if parcel.tries > MOST:  # whoever carried it died each time
            self.box.give_up(parcel, self.owner, "it was begun too often and never ended")
            LOG.error(log.Word.NOTICE_GIVEN_UP, **self._about(parcel))
            return True
        with log.about(app=parcel.notice.app or None, rotation_id=parcel.notice.rotation_id or None):
            try:
                self.sender.send(parcel.notice)
            except RotatorError as error:
                self._not_sent(parcel, error)
            else:
                self.box.sent(parcel, self.owner)
                LOG.info(log.Word.NOTICE_SENT, **self._about(parcel))
        return True

    def _not_sent(self, parcel: Parcel, error: RotatorError) -> None:
        wait = pace(parcel.tries, self.jitter())
        if isinstance(error, Unavailable) and error.retry_after is not None:
            wait = max(wait, min(error.retry_after, LONGEST))
        told = f"{error.message}; {error.fix}"
        kept = self.box.put_off(parcel, self.owner, wait, told)
        if kept:
            LOG.warning(log.Word.NOTICE_DELAYED, **self._about(parcel, wait), error=error)
        else:
            LOG.error(log.Word.NOTICE_GIVEN_UP, **self._about(parcel), error=error)

    def _about(self, parcel: Parcel, wait: float | None = None) -> log.Fields:
        about: log.Fields = {"channel": self.channel, "topic": parcel.notice.topic.value, "attempt": parcel.tries}
        return about if wait is None else {**about, "wait_s": wait}


def pace(tries: int, jitter: float) -> float:
    """Seconds until the next try: 5 to 10, 10 to 20, ... at most an hour."""
    doubled: int = 2 ** min(tries - 1, 16)
    return min(LONGEST, FIRST * doubled * (1 + jitter))
