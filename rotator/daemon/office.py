"""What one configuration leads to: its connections, and the jobs that the ledger has for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from rotator.adapters.sql.survey import Survey, survey
from rotator.adapters.sql.watch import beat
from rotator.daemon.board import Job
from rotator.daemon.hourly import Hourly
from rotator.domain.policy import Outage, share
from rotator.domain.rotation import Who
from rotator.domain.standing import Failures, Standing
from rotator.domain.words import Trigger, Why
from rotator.saga.runner import awake
from rotator.wiring import followups, force
from rotator.wiring.anchoring import anchor_if_due
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.due import outlived, standing_of
from rotator.wiring.errand import Errand, Setting
from rotator.wiring.rotate import Wish, usual, way_to
from rotator.wiring.run_once import resume
from rotator.wiring.sweeping import Sweep, wanted


class Office:
    """One configuration at work. `who` stands in the trail for what is scheduled."""

    def __init__(self, connections: Connections, setting: Setting, who: Who) -> None:
        self.connections, self.setting, self.who = connections, setting, who
        self.hourly = Hourly(self._hourly, connections.clock.monotonic)
        self.lent = 0  # how many of the control surface's calls use these connections now
        self._known: dict[str, _Known] = {}
        self._order = shuffled(connections.apps, setting.owner)
        self._began: datetime | None = None  # the first look, by the database's clock

    def _hourly(self) -> None:
        """Beside the rotations: addenda to forced ones, then the anchor, which covers them."""
        followups.look(self.connections, self.who)
        anchor_if_due(self.connections, self.who)

    def look(self) -> Survey:
        """The ledger as it is now; says from time to time that somebody looks. Raises as every read and write."""
        database = self.connections.database
        seen = survey(database)
        if not seen.watch.stale(seen.now):
            return seen
        beat(database)
        return survey(database)

    def open_jobs(self, seen: Survey, known: Set[str]) -> Iterator[Job]:
        """What is open, can go on now, and nobody is at. `known`: the apps whose jobs are at hand already."""
        for row in seen.open:
            consumer = (row.consumer.org_id, row.consumer.consumer_id)
            at_hand = row.app in known or consumer in seen.taken
            if awake(row, seen.now) and not at_hand and not outlived(self.connections, row, seen):
                errand = resume(self.connections, self.errand_setting(), row, self.who)
                if not errand.finished:
                    yield Job(row.app, row.org, errand, forced=row.force)

    def due_jobs(self, seen: Survey, known: Set[str]) -> Iterator[Job]:
        """What is due, and neither open nor at hand."""
        open_apps = {row.app for row in seen.open if not outlived(self.connections, row, seen)}
        wish = Wish(self.who, Trigger.SCHEDULED)
        for name in self._order:
            app = self.connections.apps[name]
            if name not in open_apps and name not in known and self._is_due(name, seen):
                way = partial(way_to, self.connections, name, wish)
                yield Job(name, app.org, Errand(self.errand_setting(), name, usual(app.overlap), way), new=True)

    def approved_jobs(self, known: Set[str]) -> Iterator[Job]:
        """The forces that a second person has approved. Apart from the app's own jobs: a force waits for no turn."""
        for name, order in force.approved(self.connections):
            key = f"force:{name}"  # no app has a colon in its name
            if key not in known:
                errand = force.errand_for(self.connections, self.setting, name, order)
                yield Job(key, self.connections.apps[name].org, errand, forced=True)

    def sweep_jobs(self, seen: Survey, known: Set[str]) -> Iterator[Job]:
        """The orgs that are to be swept now."""
        self._began = self._began or seen.now
        for org, since in wanted(self.connections, seen, self._began):
            key = f"sweep:{org}"  # no app has a colon in its name
            if key not in known:
                # One owner for all of this process: a sweep that a reload or an error ended is begun anew at once.
                yield Job(key, org, Sweep(self.connections, org, self.setting.owner, since), new=True)

    def errand_setting(self) -> Setting:
        """Each errand is an owner of leases of its own: two threads that come by two names to one consumer keep each
        other out as two machines do."""
        return replace(self.setting, owner=owner())

    def _is_due(self, name: str, seen: Survey) -> bool:
        """Remembers when an app will be due: thousands of schedules are not reckoned anew at each tick."""
        known, why = self._known.get(name), (seen.last.get(name), seen.outage, seen.failures.get(name))
        if known is not None and known.because == why and seen.now < known.until:
            return False
        found = standing_of(self.connections, name, seen)
        self._known[name] = _Known(why, found, found.at if found.at and found.code in _STAYS else seen.now)
        return found.now

    def standings(self) -> Mapping[str, Standing]:
        """How each app stood when it was last reckoned; what was open then is not in it."""
        return {name: known.standing for name, known in self._known.items()}


def shuffled(names: Iterable[str], owner: str) -> list[str]:
    """The apps in an order of this owner's: daemons that share a database and find a thousand apps due at once begin
    with different ones, so that none waits for the leases of another."""
    return sorted(names, key=lambda name: share(f"{owner}/{name}"))


# Reasons that only the clock, the row of the app or its configuration can change.
_STAYS = frozenset({
    Why.INTERVAL, Why.CRON, Why.MAX_AGE, Why.SPREAD, Why.WINDOW, Why.MISSED, Why.CATCH_UP, Why.BACKOFF,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Known:
    """What was reckoned of an app: from what, and until when it holds."""

    because: tuple[datetime | None, Outage | None, Failures | None]
    standing: Standing
    until: datetime
