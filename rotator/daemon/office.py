"""What one configuration leads to: its connections, and the jobs that the ledger has for it."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from datetime import datetime
from functools import partial

from rotator.adapters.sql.survey import Survey, survey
from rotator.daemon.board import Job
from rotator.domain.policy import again_after
from rotator.domain.rotation import Who
from rotator.domain.words import Trigger
from rotator.saga.runner import awake
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.due import due_of, outlived, why_not
from rotator.wiring.errand import Errand, Setting
from rotator.wiring.rotate import Wish, usual, way_to
from rotator.wiring.run_once import resume


class Office:
    """One configuration at work. `who` stands in the trail for what is scheduled."""

    def __init__(self, connections: Connections, setting: Setting, who: Who) -> None:
        self.connections, self.setting, self.who = connections, setting, who
        self._early: dict[str, tuple[datetime | None, datetime]] = {}  # app -> its last rotation, the next one's time

    def look(self) -> Survey:
        """The ledger as it is now. Raises as every read."""
        return survey(self.connections.database)

    def open_jobs(self, seen: Survey, known: Set[str]) -> Iterator[Job]:
        """What is open, can go on now, and nobody is at. `known`: the apps whose jobs are at hand already."""
        for row in seen.open:
            consumer = (row.consumer.org_id, row.consumer.consumer_id)
            at_hand = row.app in known or consumer in seen.taken
            if awake(row, seen.now) and not at_hand and not outlived(self.connections, row, seen):
                errand = resume(self.connections, self._setting(), row, self.who)
                if not errand.finished:
                    yield Job(row.app, row.org, errand)

    def due_jobs(self, seen: Survey, known: Set[str]) -> Iterator[Job]:
        """What is due, and neither open nor at hand."""
        open_apps = {row.app for row in seen.open if not outlived(self.connections, row, seen)}
        wish = Wish(self.who, Trigger.SCHEDULED)
        for name, app in self.connections.config.apps.items():
            if name not in open_apps and name not in known and self._is_due(name, seen):
                way = partial(way_to, self.connections, name, wish)
                yield Job(name, app.org, Errand(self._setting(), name, usual(app.overlap), way), new=True)

    def _setting(self) -> Setting:
        """Each errand is an owner of leases of its own: two threads that come by two names to one consumer keep each
        other out as two machines do."""
        return replace(self.setting, owner=owner())

    def _is_due(self, name: str, seen: Survey) -> bool:
        """Remembers when an app will be due: thousands of schedules are not reckoned anew at each tick."""
        last = seen.last.get(name)
        known = self._early.get(name)
        if known is not None and known[0] == last and seen.now < known[1]:
            return False
        failed = seen.failures.get(name)
        if failed is not None and seen.now < again_after(failed.count, failed.ended_at):
            return False
        if why_not(self.connections, name, seen) is None:
            return True
        self._early[name] = (last, due_of(self.connections, name, last, seen.now).at)
        return False
