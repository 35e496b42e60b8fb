"""Rotations that somebody waits for: what happens to them, until each is at rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from rotator.control.desk import Desk, Json, Lent
from rotator.domain.errors import RotatorError, Unavailable
from rotator.domain.rotation import Rotation
from rotator.wiring import told
from rotator.wiring.errand import Errand, Until, rests

PACE = 0.1  # seconds between two looks at the ledger while something moves
SLOW = 1.0  # the same while all wait for their time
ALIVE = 10.0  # seconds after which a client is told that the daemon lives


@dataclass(slots=True)
class Followed:
    """One app, as the ledger knows it; the errand may be forgotten by a reload, its rotation goes on."""

    errand: Errand
    since: datetime  # what happened before is no news
    row: Rotation | None = None
    error: RotatorError | None = None
    rested: bool = False
    seen: int = 0  # the seq of the last row of the trail that was told
    waits: datetime | None = None  # the wait that was told

    @property
    def app(self) -> str:
        return self.errand.app

    @property
    def until(self) -> Until:
        return self.errand.until

    @property
    def undoes(self) -> bool:
        return self.errand.undoes

    def look(self, desk: Desk, lent: Lent) -> Iterator[Json]:
        """What is new."""
        finished, at_hand = self.errand.finished, desk.at_hand(self.errand)  # asked first: the ledger is newer then
        known = self.row or self.errand.row
        if known is not None:
            self.row = lent.connections.ledger.rotation(known.id) or known
            yield from self._steps(lent, self.row)
            yield from self._wait(self.row, lent)
        self.error = self.errand.error
        if not finished and not at_hand and known is None:
            self.error = Unavailable(f"{self.app} was not begun: the daemon stops, or could not work at it",
                                     code="not_begun", fix="run the command again")
        lost = not at_hand and self.row is not None and rests(self.row, self.until)
        self.rested = finished or lost or self.error is not None

    def _steps(self, lent: Lent, row: Rotation) -> Iterator[Json]:
        for event in lent.connections.trail.history(since=self.since, rotation_id=row.id, after=self.seen):
            self.seen = event["seq"]
            yield {"kind": "step", **step(event)}

    def _wait(self, row: Rotation, lent: Lent) -> Iterator[Json]:
        if row.next_at is not None and row.next_at != self.waits and not row.ended:
            yield {"kind": "wait", "app": row.app, "rotation_id": row.id, "step": row.step, "state": row.state.value,
                   "next_at": told.moment(row.next_at), "now": told.moment(lent.connections.now())}  # fmt: skip
        self.waits = row.next_at


def step(event: Any) -> Json:
    """A row of the trail, as far as it is progress; `parks`: it sends the rotation to wait."""
    names = ("seq", "ts", "app", "rotation_id", "step", "phase", "outcome", "error")
    changed = event["evidence"].get("set") or {}
    return {**{name: event[name] for name in names}, "parks": changed.get("next_at") is not None}


@dataclass(slots=True)
class Following:
    """All apps of one call. `wait` false: only until each rotation is open. `end`: by the loop's clock."""

    desk: Desk
    all: Sequence[Followed]
    wait: bool
    end: float
    stopping: Callable[[], bool]
    tell: Callable[[Sequence[told.Driven]], Json] = told.rotations
    warnings: Sequence[str] = ()

    async def news(self) -> AsyncIterator[Json]:
        """Lines of progress; a last one with the document."""
        loop = asyncio.get_running_loop()
        spoken = loop.time()
        for warning in self.warnings:
            yield {"kind": "warning", "message": warning}
        while True:
            for line in await run_in_threadpool(self._look):
                spoken = loop.time()
                yield line
            if self._over(loop.time()):
                break
            if loop.time() - spoken > ALIVE:
                spoken = loop.time()
                yield {"kind": "alive"}
            await asyncio.sleep(min(self._pace(), max(0.0, self.end - loop.time())))
        yield {"kind": "result", "document": self.document()}

    def document(self) -> Json:
        """What came of it, as the command line tells it."""
        document = self.tell(self.all)
        if not self.wait and document["exit"] == told.LATER and not document["not_begun"] and "errors" not in document:
            document |= {"ok": True, "exit": told.DONE}  # it was to be handed over, and was
        return {**document, "warnings": list(self.warnings)}

    def _look(self) -> list[Json]:
        with self.desk.lend() as lent:
            return [line for one in self.all if not one.rested for line in one.look(self.desk, lent)]

    def _over(self, now: float) -> bool:
        left = [one for one in self.all if not one.rested]
        begun = not self.wait and all(one.row is not None for one in left)
        return not left or begun or now >= self.end or self.stopping()

    def _pace(self) -> float:
        moving = any(one.waits is None for one in self.all if not one.rested)
        return PACE if moving else SLOW
