"""What one process remembers of the far sides, whatever configuration it has just read."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from rotator import log
from rotator.adapters.answer import Exchange
from rotator.domain.errors import Unavailable
from rotator.domain.pair import Consumer

LOG = log.get("wiring")
HOUR = 3600.0  # Salesforce counts logins per hour and user (reference section 7)
OWN = "own"  # the rotator's own identity
WORKLOAD = "workload"  # run-as users of apps


@dataclass(frozen=True, slots=True)
class Bar:
    """Why routine work of an org waits: a code, words, and the seconds until another try."""

    code: str
    message: str
    seconds: float


class Spent:
    """Token requests of the last hour. Threads may share it. Of this process alone: several daemons each have the
    whole budget, which is why the default is a small part of what Salesforce allows."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._times: dict[tuple[str, str], deque[float]] = defaultdict(deque)  # (org, user) -> when

    def add(self, org: str, user: str) -> None:
        """One more."""
        with self._lock:
            self._recent(org, user).append(self._monotonic())

    def wait(self, org: str, user: str, most: int) -> float:
        """Seconds until another one is within the budget; 0: now."""
        with self._lock:
            times = self._recent(org, user)
            return times[len(times) - most] + HOUR - self._monotonic() if len(times) >= most else 0.0

    def most(self, org: str, users: Iterable[str] | None = None) -> int:
        """How many the busiest user of an org made; of these users, or of all but the rotator's own identity."""
        with self._lock:
            known = [user for name, user in self._times if name == org and user != OWN] if users is None else users
            return max((len(self._recent(org, user)) for user in known), default=0)

    def _recent(self, org: str, user: str) -> deque[float]:
        times, since = self._times[org, user], self._monotonic() - HOUR
        while times and times[0] <= since:
            times.popleft()
        return times


def free(org: str) -> Bar | None:
    """Nothing bars any org."""
    return None


def closed(side: str) -> str:
    """No breaker is open."""
    return "closed"


def unheard(side: str, exchange: Exchange) -> None:
    """Nobody counts."""


def unwatched(org: str) -> None:
    """Nobody counts."""


@dataclass(slots=True)
class Outside:
    """Handed to every Connections of a process.

    heard: told of each call that is over, with the org's name, or "" for Vault. bar: why routine work of an org
    waits. breaker: closed, open or half_open, of an org, or of Vault (""). over_budget: told of a forced login beyond
    the budget, with the org's name.
    """

    spent: Spent
    heard: Callable[[str, Exchange], None] = unheard
    bar: Callable[[str], Bar | None] = free
    breaker: Callable[[str], str] = closed
    over_budget: Callable[[str], None] = unwatched
    users: dict[tuple[str, str], str] = field(default_factory=dict)  # consumer -> its run-as user, where seen


class Budget:
    """ports.Logins for one org: routine work waits where its run-as user made too many token requests this hour; a
    forced rotation goes on, and it is said."""

    def __init__(self, outside: Outside, org: str, per_hour: int) -> None:
        self._outside, self._org, self._per_hour = outside, org, per_hour

    def ask(self, consumer: Consumer, *, forced: bool) -> None:
        """Before a token request, which it counts. Raises Unavailable (`logins_spent`)."""
        user = self._user(consumer)
        wait = self._outside.spent.wait(self._org, user, self._per_hour)
        if wait > 0 and not forced:
            raise Unavailable(
                f"the login budget is used up: {self._per_hour} token requests in an hour for one user of {self._org}",
                code="logins_spent", retry_after=wait,
                fix="wait: it goes on by itself; raise logins_per_hour in [limits] where the org can bear it",
            )  # fmt: skip
        if wait > 0:
            self._outside.over_budget(self._org)
            LOG.warning(log.Word.OVER_BUDGET, org=self._org, count=self._per_hour)
        self._outside.spent.add(self._org, user)

    def belongs(self, consumer: Consumer, user: str) -> None:
        """A login told who the run-as user is: apps that share one share its budget."""
        if user:
            self._outside.users[consumer.org_id, consumer.consumer_id] = user

    def _user(self, consumer: Consumer) -> str:
        return self._outside.users.get((consumer.org_id, consumer.consumer_id), consumer.consumer_id)


def in_words(seconds: float) -> str:
    """A duration, to the second."""
    return str(timedelta(seconds=max(1, round(seconds))))
