"""What the control report looks at, gathered once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rotator.adapters.sql import recounting, triggers
from rotator.adapters.sql.recounting import Counted, Held
from rotator.adapters.sql.survey import survey
from rotator.adapters.sql.verify import VerifyResult
from rotator.domain.rotation import Rotation
from rotator.wiring.reading import whole
from rotator.wiring.reports import ages
from rotator.wiring.reports.ages import Age
from rotator.wiring.reports.ask import Ask


@dataclass(frozen=True, slots=True)
class Facts:
    """The evidence, of now and since the asked time."""

    ask: Ask
    counted: Sequence[Counted]
    ages: Sequence[Age]
    forced: Sequence[Rotation]
    done: Sequence[Rotation]
    holds: Sequence[Held]
    chain: VerifyResult
    unprotected: Sequence[str]  # triggers that are gone
    oldest: datetime | None
    incomplete: int
    unreviewed: int  # break-glass forces that nobody reviewed yet
    swept: Mapping[str, datetime | None]  # org -> when it was last swept to the end

    def rows(self, *steps: str, outcome: str = "", phase: str = "") -> int:
        """How many rows of these steps there are."""
        return sum(one.rows for one in self._chosen(steps, outcome, phase))

    def newest(self, *steps: str, outcome: str = "") -> datetime | None:
        """When the newest of them was written."""
        return max((one.newest for one in self._chosen(steps, outcome, "")), default=None)

    def _chosen(self, steps: Sequence[str], outcome: str, phase: str) -> list[Counted]:
        return [one for one in self.counted if (not steps or one.step in steps) and outcome in ("", one.outcome)
                and phase in ("", one.phase)]  # fmt: skip


def gathered(ask: Ask, progress: Callable[[int], None] | None = None) -> Facts:
    """Asks the database for everything, and reads the whole chain."""
    database = ask.connections.database
    forced = recounting.forced(database, ask.since, ask.org)
    reviewed = {row["rotation_id"] for row in recounting.steps_of(database, "review")}
    return Facts(
        ask, recounting.counts(database, ask.since, ask.org), list(ages.found(ask)), forced,
        recounting.ended(database, ask.since, ask.org), recounting.holds(database, ask.since, ask.org),
        whole(ask.connections, progress), database.read(triggers.missing), recounting.oldest(database),
        recounting.incomplete(database), sum(one.who.break_glass and one.id not in reviewed for one in forced),
        _swept(ask),
    )  # fmt: skip


def _swept(ask: Ask) -> dict[str, datetime | None]:
    told = survey(ask.connections.database).swept
    return {org: told.get(org) for org in ask.connections.config.orgs if ask.org in ("", org)}
