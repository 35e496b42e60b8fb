"""The jobs at hand, and who may take the next one.

Orgs take turns, so that a large one does not keep a small one waiting; the limit of an org is looked at before a job
is given out, so that no thread waits for it. Where the gate bars an org, only its forced rotations go on. In an org
what is open comes before what is new, and at the start nothing new is given out before each open rotation had its
turn.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Protocol

from rotator.domain.errors import RotatorError
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
    """One errand. `key` names it: the app."""

    key: str
    org: str
    errand: Turns
    new: bool = False  # nothing was begun yet
    forced: bool = False  # goes on whatever the gate says
    generation: int = 0  # of the board; an older one is not put back


@dataclass(eq=False, slots=True)
class _Queue:
    """The jobs of one org."""

    open: deque[Job] = field(default_factory=deque)
    new: deque[Job] = field(default_factory=deque)
    waiting: list[tuple[float, int, Job]] = field(default_factory=list)  # a heap, by the time they wake
    busy: int = 0

    def pop(self, now: float, *, new: bool) -> Job | None:
        self._wake(now)
        if self.open:
            return self.open.popleft()
        return self.new.popleft() if new and self.new else None

    def pop_forced(self, now: float) -> Job | None:
        self._wake(now)
        for jobs in (self.open, self.new):
            job = next((job for job in jobs if job.forced), None)
            if job is not None:
                jobs.remove(job)
                return job
        return None

    def _wake(self, now: float) -> None:
        while self.waiting and self.waiting[0][0] <= now:
            self.open.append(heapq.heappop(self.waiting)[2])

    def jobs(self) -> Iterator[Job]:
        return chain(self.open, self.new, (job for _, _, job in self.waiting))

    def drain(self) -> list[Job]:
        found = list(self.jobs())
        self.open.clear()
        self.new.clear()
        self.waiting.clear()
        return found


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
        self._jobs: dict[str, Job] = {}
        self._busy: dict[str, Job] = {}
        self._first: set[str] = set()
        self._numbers = count()
        self._generation = 0
        self._closed = False

    def keys(self) -> frozenset[str]:
        """Which jobs are here, in work or not."""
        with self._changed:
            return frozenset(self._jobs)

    def busy(self) -> int:
        """How many are in work."""
        with self._changed:
            return len(self._busy)

    def busy_with_old(self) -> bool:
        """Whether a job that was offered before the last `clear` is still in work."""
        with self._changed:
            return any(job.generation != self._generation for job in self._busy.values())

    def offer(self, job: Job, *, first: bool = False) -> None:
        """Adds a job; nothing where its key is here already. `first`: nothing new is begun before its turn."""
        with self._changed:
            if job.key in self._jobs or self._closed:
                return
            job.generation = self._generation
            self._jobs[job.key] = job
            queue = self._queues.setdefault(job.org, _Queue())
            (queue.new if job.new else queue.open).append(job)
            if first:
                self._first.add(job.key)
            self._changed.notify()

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
            if job.generation != self._generation or self._closed:
                self._jobs.pop(job.key, None)
            else:
                job.new = False
                wake = self.monotonic() + seconds
                heapq.heappush(self._queues[job.org].waiting, (wake, next(self._numbers), job))
            self._changed.notify_all()

    def drop(self, job: Job) -> None:
        """After a turn: it is finished."""
        with self._changed:
            self._leave(job)
            self._jobs.pop(job.key, None)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forgets every job; one that is in work is forgotten after its turn."""
        with self._changed:
            self._generation += 1
            self._first.clear()
            for queue in self._queues.values():
                for job in queue.drain():
                    self._jobs.pop(job.key, None)

    def close(self) -> None:
        """Gives nothing out any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self, now: float) -> Job | None:
        self._barred = False
        for org, queue in list(self._queues.items()):
            job = self._pop(org, queue, now) if queue.busy < self._per_org else None
            if job is not None:
                queue.busy += 1
                self._busy[job.key] = job
                self._queues[org] = self._queues.pop(org)
                return job
        return None

    def _pop(self, org: str, queue: _Queue, now: float) -> Job | None:
        if self._gate(org, queue.busy, len(self._busy)):
            return queue.pop(now, new=not self._first)
        self._barred = True
        self._first.difference_update(job.key for job in queue.jobs())  # the other orgs do not wait for a barred one
        return queue.pop_forced(now)

    def _nap(self, now: float) -> float | None:
        wakes = [queue.waiting[0][0] for queue in self._queues.values() if queue.waiting and queue.busy < self._per_org]
        wakes += [now + GATE] if self._barred else []
        return max(0.001, min(wakes) - now) if wakes else None

    def _leave(self, job: Job) -> None:
        self._queues[job.org].busy -= 1
        self._busy.pop(job.key, None)
        self._first.discard(job.key)
