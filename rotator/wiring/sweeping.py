"""The sweep of an org: app by app, those first that were not looked at for longest, and never more than so many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from rotator import log
from rotator.adapters.sql.survey import Survey
from rotator.adapters.sql.sweeps import Sweeps
from rotator.checks import drift
from rotator.checks.scene import OrgScene
from rotator.checks.sweep import SWITCH, Scene, sweep
from rotator.domain.errors import RotatorError, Unavailable
from rotator.domain.pair import Consumer
from rotator.domain.policy import share
from rotator.domain.rotation import Rotation
from rotator.domain.sighting import Past, Sight, Sighting, everything
from rotator.wiring.connections import Connections
from rotator.wiring.moving import hold
from rotator.wiring.responding import of_sweep, unblock_late
from rotator.wiring.scenes import org_scene, swept_scene
from rotator.wiring.settings import target_of

LOG = log.get("sweep")
MOST = 50  # apps of one sweep: about eight calls to the org each, and six for all of them
BLIND = 3  # apps in a row that could not be looked at: then the org or Vault is away, and not they


class Sweep:
    """One org's sweep, a turn per app. Errors end up in `error`."""

    def __init__(self, connections: Connections, org: str, owner: str, since: datetime) -> None:
        """`since`: nothing to do where somebody swept the org after it."""
        self.app, self.finished, self.idle = "", False, 0.0
        self.row: Rotation | None = None  # it has none
        self.error: RotatorError | None = None
        self._connections, self._org, self._owner, self._since = connections, org, owner, since
        self._sweeps = Sweeps(connections.database, connections.context, connections.outbox.routes)
        self._blind, self._org_seen = 0, False
        self._left: Iterator[str] | None = None

    def turn(self) -> None:
        """Looks at one app more."""
        try:
            self._turn()
        except RotatorError as error:
            self.error, self.finished = error, True

    def _turn(self) -> None:
        if self._left is None:
            if not self._sweeps.begin(self._org, self._owner, self._since):
                self.finished = True
                return
            apps = self._sweeps.order(routine(self._connections, self._org))[:MOST]
            self._left = iter(() if self._moved() else apps)
            return
        name = next(self._left, None)
        if name is not None:
            self._look(name)
            return
        self._sweeps.end(self._org, self._owner)
        LOG.info(log.Word.SWEPT, org=self._org)
        self.finished = True

    def _moved(self) -> bool:
        """Whether the org is another than before: then nothing in it is looked at or done."""
        seen = drift.moved(self._connections.org(self._org), self._org)
        self._note(everything(self._org), [seen])
        if seen.state is Sight.DRIFT:
            hold(self._connections, self._org, seen)
        return seen.state is Sight.DRIFT

    def _note(self, place: str, found: Sequence[Sighting]) -> None:
        for one in self._sweeps.note(self._org, place, self._owner, found):
            self._say(place, one)

    def _look(self, name: str) -> None:
        last, past = self._sweeps.past(name)
        if last is not None and not last.ended:
            return  # its rotation looks itself
        found = self._seen(name, last, past)
        self._blind = self._blind + 1 if all(one.state is Sight.BLIND for one in found) else 0
        now, _ = self._sweeps.past(name)
        if (now.id if now else "") != (last.id if last else ""):
            return  # a rotation began under our eyes
        self._note(name, found)
        if self._blind == BLIND:
            raise Unavailable(f"the sweep of {self._org} could not look at {BLIND} apps in a row")

    def _seen(self, name: str, last: Rotation | None, past: Past) -> tuple[Sighting, ...]:
        connections, app = self._connections, self._connections.config.apps[name]
        try:
            ports = connections.ports(self._org)
            consumer = last.consumer if last is not None else ports.salesforce.find(app.app, app.consumer)
        except RotatorError as error:
            return (Sighting("slot", Sight.BLIND, error.code, f"could not look: {error.message}", error.fix),)
        target = target_of(name, app, connections.config.orgs[self._org].host)
        found = sweep(Scene(name, consumer, target, past, ports.salesforce, ports.vault))
        mended = (self._mended(name, consumer, one) if one.look == SWITCH else one for one in found)
        return (*mended, *self._rows(name, consumer))

    def _rows(self, name: str, consumer: Consumer) -> Iterator[Sighting]:
        """The rows of the checks that somebody may have broken; what is the org's is told as the org's, once."""
        scene = swept_scene(self._connections, self._place, name, consumer)
        if not self._org_seen:
            seen = list(drift.looked(drift.OF_ORG, scene))
            self._org_seen = any(one.state is not Sight.BLIND for one in seen)
            self._note(everything(self._org), seen)
        yield from drift.looked(drift.OF_APP, scene)

    @cached_property
    def _place(self) -> OrgScene:
        """What stands in the org for all apps, read once a sweep."""
        return org_scene(self._connections, self._org)

    def _mended(self, name: str, consumer: Consumer, one: Sighting) -> Sighting:
        """A block of ours that landed when all was over is undone, and told all the same."""
        if one.state is not Sight.DRIFT:
            return one
        try:
            undone = unblock_late(of_sweep(self._connections, name, consumer))
        except RotatorError as error:
            return replace(one, words=f"{one.words}; it could not be unblocked: {error.message}", fix=error.fix)
        words = f"{one.words}: a late call of a forced rotation that had ended; it is on again"
        return replace(one, what="late_block", words=words, fix="nothing: it was unblocked") if undone else one

    def _say(self, name: str, one: Sighting) -> None:
        if one.state is Sight.OK:
            LOG.info(log.Word.SETTLED, org=self._org, app=name, look=one.look)
        else:
            LOG.warning(log.Word.DRIFT, org=self._org, app=name, look=one.look, state=one.state, message=one.words,
                        fix=one.fix)  # fmt: skip


def routine(connections: Connections, org: str) -> list[str]:
    """The apps of the org that the rotator rotates by itself."""
    apps = connections.config.apps.items()
    return [name for name, app in apps if app.org == org and app.enabled and app.kind == "external_client_app"]


def wanted(connections: Connections, seen: Survey, began: datetime) -> Iterator[tuple[str, datetime]]:
    """The orgs that are to be swept now, each with the time since which nobody has. `began`: when this process did; an
    org that was never swept waits for its share of the interval, so that a start is no stampede."""
    every = connections.config.timing.sweep
    for org in connections.config.orgs if every else ():
        last = seen.swept.get(org)
        due = began + every * share(org) if last is None or last > seen.now else last + every * (0.9 + 0.2 * share(org))
        if due <= seen.now:
            yield org, last or began
