"""A fixed number of threads that take jobs from the board and give each a turn."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rotator import log
from rotator.daemon.board import Board, Job
from rotator.daemon.setbacks import Setbacks
from rotator.daemon.trouble import Trouble
from rotator.domain.errors import InvariantBroken, LeaseTaken, LedgerUnavailable, OtherHost, RotatorError, Stale
from rotator.metrics.meters import Meters
from rotator.wiring.due import NOT_DUE
from rotator.wiring.errand import SHORTEST

LOG = log.get("daemon")


class Pool:
    """`broken` is called where a promise of the protocol does not hold, or another machine uses our database: then
    everything must stop. `trouble` hears what keeps an app from being worked on."""

    def __init__(self, board: Board, setbacks: Setbacks, size: int, broken: Callable[[RotatorError], object],
                 meters: Meters, trouble: Trouble) -> None:
        self._board, self._setbacks, self._broken = board, setbacks, broken
        self._meters, self._trouble = meters, trouble
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(size)]

    def start(self) -> None:
        """Starts the threads; they end when the board is closed."""
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> bool:
        """Waits for the turns in hand, at most so long. Whether all have ended."""
        end = self._board.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - self._board.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (job := self._board.take()) is not None:
            with log.about(app=job.errand.app, org=job.org):
                self.turn(job)

    def turn(self, job: Job) -> None:
        """One turn of a job, and where it goes then. Never raises."""
        errand = job.errand
        try:
            errand.turn()
        except Exception as error:  # a defect: the other apps go on
            self._crashed(job, error)
            return
        if not errand.finished:
            self._board.put_back(job, max(SHORTEST, errand.idle))
            return
        self._tell(job)
        self._board.drop(job)

    def _crashed(self, job: Job, error: Exception) -> None:
        self._meters.setbacks.labels("crashed").inc()
        LOG.error(log.Word.CRASHED, error=error, wait_s=self._setbacks.add(job.key))
        defect = RotatorError(f"a defect in rotator: {type(error).__qualname__}", code="defect")
        self._trouble.met(job.errand.app, job.org, defect)
        self._board.drop(job)

    def _tell(self, job: Job) -> None:
        error, row = job.errand.error, job.errand.row
        if error is not None:
            self._set_back(job, error)
            return
        self._setbacks.over(job.key)
        self._trouble.over(job.errand.app, job.org)
        if row is not None:
            word = log.Word.ENDED if row.ended else log.Word.HELD if row.state == "held" else log.Word.PARKED
            LOG.info(word, rotation_id=row.id, state=row.state, step=row.step, reason=row.reason or None,
                     message=row.message or None, fix=row.fix or None, next_at=row.next_at)  # fmt: skip

    def _set_back(self, job: Job, error: RotatorError) -> None:
        self._meters.setbacks.labels(error.code).inc()
        if isinstance(error, Stale):
            self._meters.leases_lost.inc()
        if error.code == NOT_DUE or isinstance(error, LeaseTaken | Stale):
            LOG.info(log.Word.LEASE_LOST, error=error)  # another worker is or was at it: the next tick sees
        elif isinstance(error, LedgerUnavailable):
            LOG.warning(log.Word.DATABASE_DOWN, error=error)
        else:
            LOG.warning(log.Word.SET_BACK, error=error, wait_s=self._setbacks.add(job.key))
            self._trouble.met(job.errand.app, job.org, error)
        if isinstance(error, InvariantBroken | OtherHost):
            self._broken(error)
