"""How long until an answer is steady: samples over time, and what they allow to be said.

Salesforce answers from many servers, and after a change each learns of it in its own time (reference 12). So one look
is a burst of logins, the looks go on, and a time is only told where the end of it was seen several times in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BURST = 3  # logins of one look, as long as they end as expected: each may meet another server
STEADY = 4  # looks in a row that agree before the watch ends early
LEAST = 120.0  # seconds for which a change is watched at least, or `propagation` where that is shorter
DENSE = 30.0  # seconds between two looks at most
FIRST = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds behind the change
BEHIND = (1.05, 1.1, 1.2)  # times `propagation`: what became steady at its very end is seen again


@dataclass(frozen=True, slots=True)
class Look:
    """One burst. `after`: seconds between the change and the end of the burst. `control`: the other pair, which must be
    accepted, was; None where nobody asked it."""

    after: float
    accepted: int
    refused: int
    control: bool | None = None

    def all(self, accepted: bool) -> bool:
        """Every login of the burst ended so."""
        return not (self.refused if accepted else self.accepted)

    @property
    def mixed(self) -> bool:
        return bool(self.accepted and self.refused)


@dataclass(frozen=True, slots=True)
class Series:
    """The looks behind one change, in order."""

    looks: tuple[Look, ...] = ()

    @property
    def ever_accepted(self) -> bool:
        return any(look.accepted for look in self.looks)

    @property
    def always_accepted(self) -> bool:
        return bool(self.looks) and all(look.all(True) for look in self.looks)

    def run(self, accepted: bool) -> Sequence[Look]:
        """The looks at the end that all say so."""
        first = len(self.looks)
        while first and self.looks[first - 1].all(accepted):
            first -= 1
        return self.looks[first:]

    def settled(self, accepted: bool) -> bool:
        """It ended so, as often as is asked for; a refusal counts beside an acceptance of the other pair alone."""
        run = self.run(accepted)
        return len(run) >= min(STEADY, len(self.looks)) and (accepted or self.looks[-1].control is not False)

    def delay(self, accepted: bool) -> float | None:
        """Seconds, at most, until it was so everywhere; 0 where the first look saw it so. None: it is not settled.

        Where it was so at times before, servers disagreed, and a look may have met only those that knew already: two
        looks later count.
        """
        run = self.run(accepted)
        if not self.settled(accepted) or not run:
            return None
        if len(run) == len(self.looks):
            return 0.0
        before = self.looks[: len(self.looks) - len(run)]
        doubt = 2 if any(look.accepted if accepted else look.refused for look in before) else 0
        return run[min(doubt, len(run) - 1)].after

    @property
    def words(self) -> str:
        """For the trail: every change of the answer, with its time."""
        told, last = list[str](), ""
        for look in self.looks:
            said = "mixed" if look.mixed else "accepted" if look.accepted else "refused"
            if said != last:
                told.append(f"{said} from {look.after:.0f} s")
            last = said
        return ", ".join([*told, f"watched for {self.looks[-1].after:.0f} s"]) if told else "nothing seen"


def moments(most: float) -> Iterator[float]:
    """When to look, in seconds behind the change: densely at first, up to `most` and a little behind it."""
    yield from (moment for moment in FIRST if moment <= most)
    moment = DENSE
    while moment <= most:
        yield moment
        moment += DENSE
    if most:
        yield from (most * factor for factor in BEHIND)
