"""The jobs at hand, and who may take the next one.

Orgs take turns, so that a large one does not keep a small one waiting; the limit of an org is looked at before a job
is given out, so that no thread waits for it. What a person waits for comes first, in whatever org. Where the gate bars
an org, only that and its forced rotations go on. In an org what is open comes before what is new, and at the start
nothing new is given out before each open rotation had its turn.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Protocol

from rotator.domain.errors import RotatorError, Unavailable
from rotator.domain.rotation import Rotation

GATE = 1.0  # seconds between two questions to a gate that barred something


class Turns(Protocol):
    """What is worked on: an errand."""

    app: str
    row: Rotation | None
    error: RotatorError | None
    finished: bool
    idle: float

    def turn(self) -> None: ...


@dataclass(eq=False, slots=True)
class Job:
    """One errand. `key` names it: the app. There is one job of a key, but for those that people wait for."""

    key: str
    org: str
    errand: Turns
    new: bool = False  # nothing was begun yet
    forced: bool = False  # goes on whatever the gate says
    urgent: bool = False  # a person waits for it: the same, and before all others
    generation: int = 0  # of the board; an older one is not put back


@dataclass(eq=False, slots=True)
class _Queue:
    """The jobs of one org."""

    urgent: deque[Job] = field(default_factory=deque)
    open: deque[Job] = field(default_factory=deque)
    new: deque[Job] = field(default_factory=deque)
    waiting: list[tuple[float, int, Job]] = field(default_factory=list)  # a heap, by the time they wake
    busy: int = 0

    def wake(self, now: float) -> None:
        """Those whose time has come want a turn."""
        while self.waiting and self.waiting[0][0] <= now:
            job = heapq.heappop(self.waiting)[2]
            (self.urgent if job.urgent else self.open).append(job)

    def first(self, taken: Container[str]) -> Job | None:
        """The first that a person waits for. Two of one app are never in work at once, but for a force: it does not
        wait for the turn in hand, and takes the lease over."""
        job = next((job for job in self.urgent if job.forced or job.key not in taken), None)
        if job is not None:
            self.urgent.remove(job)
        return job

    def pop(self, *, new: bool) -> Job | None:
        """The next of the others."""
        if self.open:
            return self.open.popleft()
        return self.new.popleft() if new and self.new else None

    def pop_forced(self) -> Job | None:
        """The next of those that the gate does not bar."""
        for jobs in (self.open, self.new):
            job = next((job for job in jobs if job.forced), None)
            if job is not None:
                jobs.remove(job)
                return job
        return None

    def jobs(self) -> Iterator[Job]:
        return chain(self.urgent, self.open, self.new, (job for _, _, job in self.waiting))

    def drain(self) -> list[Job]:
        """Every job; none is left here."""
        found = list(self.jobs())
        for queue in (self.urgent, self.open, self.new, self.waiting):
            queue.clear()
        return found

    def withdraw(self, job: Job) -> None:
        """Takes this job out, wherever it stands."""
        for queue in (self.open, self.new):
            if job in queue:
                queue.remove(job)
        self.waiting = [one for one in self.waiting if one[2] is not job]
        heapq.heapify(self.waiting)


def wide_open(org: str, busy: int, busy_everywhere: int) -> bool:
    """A gate that bars nothing."""
    return True


class Board:
    """Threads may share it. `per_org`: jobs of one org in work at once; `monotonic`: a clock in seconds; `gate`:
    whether a routine job of an org may be given out, with the number of those in work of this org and of all."""

    def __init__(self, per_org: int, monotonic: Callable[[], float],
                 gate: Callable[[str, int, int], bool] = wide_open) -> None:
        self._per_org, self.monotonic, self._gate = per_org, monotonic, gate
        self._barred = False  # the gate kept a job back when the last one was asked for
        self._changed = threading.Condition()
        self._queues: dict[str, _Queue] = {}  # the org that was served last stands last
        self._jobs: dict[str, Job] = {}  # of the schedule
        self._asked: dict[str, list[Job]] = {}  # of people
        self._busy: list[Job] = []
        self._first: set[str] = set()
        self._numbers = count()
        self._generation = 0
        self._closed = False

    def keys(self) -> frozenset[str]:
        """Which jobs are here, in work or not."""
        with self._changed:
            return frozenset(self._jobs.keys() | self._asked.keys())

    def busy(self) -> int:
        """How many are in work."""
        with self._changed:
            return len(self._busy)

    def busy_with_old(self) -> bool:
        """Whether a job that was offered before the last `clear` is still in work, or a person waits for one."""
        with self._changed:
            asked = (job for jobs in self._asked.values() for job in jobs)
            return any(job.generation != self._generation for job in (*self._busy, *asked))

    def has(self, errand: Turns) -> bool:
        """Whether this errand of a person is still here."""
        with self._changed:
            return any(job.errand is errand for job in self._asked.get(errand.app, ()))

    def offer(self, job: Job, *, first: bool = False) -> None:
        """Adds a job; nothing where its key is here already. `first`: nothing new is begun before its turn."""
        with self._changed:
            if job.key in self._jobs or job.key in self._asked or self._closed:
                return
            job.generation = self._generation
            self._jobs[job.key] = job
            queue = self._queues.setdefault(job.org, _Queue())
            (queue.new if job.new else queue.open).append(job)
            if first:
                self._first.add(job.key)
            self._changed.notify()

    def hurry(self, job: Job) -> bool:
        """Adds what a person waits for. The scheduled job of its key makes place, at once or after its turn.

        Gives whether one of that key is in work just now. Raises Unavailable once the board is closed.
        """
        with self._changed:
            if self._closed:
                raise Unavailable("the daemon is stopping", code="stopping", fix="run the command again in a moment")
            job.urgent, job.generation = True, self._generation
            queue = self._queues.setdefault(job.org, _Queue())
            scheduled = self._jobs.get(job.key)
            busy = job.key in self._at_work()
            if scheduled is not None and not busy:
                self._queues[scheduled.org].withdraw(scheduled)
                self._forget(scheduled)
            self._asked.setdefault(job.key, []).append(job)
            queue.urgent.append(job)
            self._changed.notify()
            return busy

    def take(self) -> Job | None:
        """The next job; waits for one. None once the board is closed."""
        with self._changed:
            while not self._closed:
                now = self.monotonic()
                job = self._next(now)
                if job is not None:
                    return job
                self._changed.wait(self._nap(now))
            return None

    def put_back(self, job: Job, seconds: float) -> None:
        """After a turn: it wants another one so much later."""
        with self._changed:
            self._leave(job)
            if self._closed or self._is_past(job) or (not job.urgent and job.key in self._asked):
                self._forget(job)
            else:
                job.new = False
                wake = self.monotonic() + seconds
                heapq.heappush(self._queues[job.org].waiting, (wake, next(self._numbers), job))
            self._changed.notify_all()

    def drop(self, job: Job) -> None:
        """After a turn: it is finished."""
        with self._changed:
            self._leave(job)
            self._forget(job)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forgets every job but those that people wait for and that are not begun; one in work, after its turn."""
        with self._changed:
            self._generation += 1
            self._first.clear()
            for queue in self._queues.values():
                for job in queue.drain():
                    if self._is_past(job):
                        self._forget(job)
                    else:
                        queue.urgent.append(job)

    def close(self) -> None:
        """Gives nothing out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self, now: float) -> Job | None:
        self._barred = False
        free = [org for org, queue in self._queues.items() if queue.busy < self._per_org]
        for org in free:
            self._queues[org].wake(now)
        for way in (self._urgent, self._routine):
            for org in free:
                job = way(org, self._queues[org])
                if job is not None:
                    return job
        return None

    def _urgent(self, org: str, queue: _Queue) -> Job | None:
        return self._given(org, queue.first(self._at_work()))

    def _routine(self, org: str, queue: _Queue) -> Job | None:
        if self._gate(org, queue.busy, len(self._busy)):
            return self._given(org, queue.pop(new=not self._first))
        self._barred = True
        self._first.difference_update(job.key for job in queue.jobs())  # the other orgs do not wait for a barred one
        return self._given(org, queue.pop_forced())

    def _given(self, org: str, job: Job | None) -> Job | None:
        if job is not None:
            self._queues[org].busy += 1
            self._busy.append(job)
            self._queues[org] = self._queues.pop(org)
        return job

    def _nap(self, now: float) -> float | None:
        wakes = [queue.waiting[0][0] for queue in self._queues.values() if queue.waiting and queue.busy < self._per_org]
        wakes += [now + GATE] if self._barred else []
        return max(0.001, min(wakes) - now) if wakes else None

    def _is_past(self, job: Job) -> bool:
        """Of an older configuration. What a person asked for and is not begun is begun all the same; what is begun
        goes on by the next look for what is open."""
        return job.generation != self._generation and not (job.urgent and job.errand.row is None)

    def _at_work(self) -> frozenset[str]:
        """The apps that are in work."""
        return frozenset(job.key for job in self._busy)

    def _leave(self, job: Job) -> None:
        self._queues[job.org].busy -= 1
        self._busy.remove(job)
        self._first.discard(job.key)

    def _forget(self, job: Job) -> None:
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        left = [one for one in self._asked.get(job.key, ()) if one is not job]
        if left:
            self._asked[job.key] = left
        else:
            self._asked.pop(job.key, None)
