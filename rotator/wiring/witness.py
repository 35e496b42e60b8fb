"""Evidence of an incident: looked up in parallel before anything is changed, kept in the trail as `force` rows.

Waited for at most `PATIENCE` seconds: what comes later is written down when it comes, and flagged as late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from rotator.domain.errors import RotatorError
from rotator.domain.event import Event
from rotator.domain.pair import Consumer
from rotator.domain.sight import AT_ONCE, Kind, Sight
from rotator.domain.words import Outcome, Phase
from rotator.ports import Salesforce

PATIENCE = 10.0  # seconds
PART = 10  # rows of evidence in one row of the trail

Keep = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known so far, and what is still under way."""

    since: datetime
    user_id: str
    looks: Mapping[Kind, Future[Sight]] = field(default_factory=dict)

    def keep(self, keep: Keep) -> None:
        """Writes down what was seen; what is late is flagged now, and written down by its own thread when it comes."""
        for kind, look in self.looks.items():
            if look.done():
                self._write(keep, kind, look, late=False)
            else:
                words = f"not seen within {PATIENCE:.0f} s: written down when it comes"
                keep(_event({**self._about(kind), "late": True, "notes": [words]}, Outcome.UNKNOWN))
                look.add_done_callback(partial(self._later, keep, kind))

    def _later(self, keep: Keep, kind: Kind, look: Future[Sight]) -> None:
        with suppress(RotatorError):  # nobody waits for it any more
            self._write(keep, kind, look, late=True)

    def _write(self, keep: Keep, kind: Kind, look: Future[Sight], *, late: bool) -> None:
        error = look.exception()
        if error is not None:
            words = error.message if isinstance(error, RotatorError) else type(error).__name__
            keep(_event({**self._about(kind), "late": late, "complete": False, "notes": [words]}, Outcome.FAILED))
            return
        for evidence in _parts(look.result()):
            keep(_event({**self._about(kind), "late": late, **evidence}, Outcome.OK))

    def _about(self, kind: Kind) -> dict[str, object]:
        return {"evidence": kind.value, "since": self.since.isoformat(), "user_id": self.user_id}


def gather(salesforce: Salesforce, consumer: Consumer, user_id: str, since: datetime) -> Gathered:
    """Looks at what may be gone later, all at once, and waits a little. Raises nothing."""
    pool = ThreadPoolExecutor(len(AT_ONCE), thread_name_prefix="evidence")
    looks = {kind: pool.submit(salesforce.sight, consumer, user_id, kind, since) for kind in AT_ONCE}
    wait(looks.values(), PATIENCE)
    pool.shutdown(wait=False)
    return Gathered(since, user_id, looks)


def _parts(sight: Sight) -> Iterator[dict[str, object]]:
    """A sight as evidence of bounded size: totals in the first part, a few rows in each."""
    rows = [dict(row) for row in sight.rows]
    parts = [rows[at : at + PART] for at in range(0, len(rows), PART)] or [[]]
    whole: dict[str, object] = {"total": sight.total, "complete": sight.complete, "notes": list(sight.notes),
                                "counts": dict(sight.counts)}  # fmt: skip
    for number, part in enumerate(parts, 1):
        yield {"part": number, "of": len(parts), "rows": part, **(whole if number == 1 else {})}


def _event(evidence: Mapping[str, object], outcome: Outcome) -> Event:
    return Event("force", Phase.OBSERVE, outcome, evidence=evidence)
