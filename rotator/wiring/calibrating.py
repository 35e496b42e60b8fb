"""`calibrate`: an org, a throwaway app, the lease on its consumer, and the profile that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from rotator.adapters.salesforce import SalesforceOrg
from rotator.adapters.salesforce.ids import is_id
from rotator.adapters.salesforce.queries import quoted
from rotator.adapters.sql.calibrations import rows_of
from rotator.checks.calibrate import acts
from rotator.checks.calibrate.lab import Lab, Progress
from rotator.checks.calibrate.profile import Profile
from rotator.checks.calibrate.work import WATCHES, calibrated
from rotator.config import AppConfig
from rotator.domain.errors import LeaseTaken, Refused, RotatorError, UsageError
from rotator.domain.event import Event
from rotator.domain.pair import Consumer, Credential, Pair, Target, fingerprint
from rotator.domain.rotation import Who
from rotator.domain.session import Holders
from rotator.domain.words import Outcome, Phase
from rotator.ports import Lease, Vault
from rotator.saga.worker import Ports
from rotator.wiring.anchoring import signer_of
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.errand import LATE, PRESSING
from rotator.wiring.naming import nearest
from rotator.wiring.scenes import own_keys
from rotator.wiring.settings import target_of, timing_of

NAME = "calibrate"  # of the rotation that a live path names


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, before it is begun. `app`: the app's table, where the configuration has one."""

    connections: Connections
    org: str
    name: str
    app: AppConfig | None
    ports: Ports
    salesforce: SalesforceOrg
    consumer: Consumer
    who: Who

    @property
    def words(self) -> str:
        """For the question that is asked first."""
        most, app = WATCHES * self.connections.config.timing.propagation, self.consumer.app_name or self.consumer.app_id
        return (f"{app} in org {self.org} gets two new pairs, its present one dies, its tokens are ended, and it is"
                f" blocked for a moment; it takes up to {most} and a few minutes")


def planned(connections: Connections, org: str, name: str, who: Who) -> Plan:
    """The app by its name in the configuration, its developer name or its id; reads alone.

    Raises UsageError for an unknown org or a classic app, ConfigError for an unknown app, Refused for an app of the
    configuration that is no canary: its live path has readers.
    """
    if org not in connections.config.orgs:
        raise UsageError(f"no org is called {org}{nearest(org, connections.config.orgs)}", code="unknown_org",
                         fix="see [orgs] in the configuration")  # fmt: skip
    mine = {key: app for key, app in connections.config.apps.items() if app.org == org}
    ports, salesforce = connections.ports(org), connections.org(org)
    if name in mine and mine[name].kind != "external_client_app":
        raise UsageError(f"{name} is a classic connected app", fix="take an External Client App")
    consumer = salesforce.find(mine[name].app, mine[name].consumer) if name in mine else salesforce.find(name, "")
    connections.met(org, consumer.org_id, who)
    known = next((key for key, app in mine.items() if _means(app, consumer)), None)
    if known is not None and not mine[known].canary:
        raise Refused(f"{known} has a live path, whose readers we do not know: calibrate would lock them out",
                      code="app_in_use", fix="take a throwaway app (docs/calibrate.md); or, if really nobody needs"
                      f" {known}: canary = true under [apps.{known}]")  # fmt: skip
    table = mine[known] if known is not None else None
    return Plan(connections, org, known or name, table, ports, salesforce, consumer, who)


def _means(app: AppConfig, consumer: Consumer) -> bool:
    return app.app.lower() == consumer.app_name.lower() or app.app[:15] == consumer.app_id[:15]


def calibrate(plan: Plan, stopped: Callable[[], bool], progress: Progress) -> Profile:
    """Runs it, under the lease on the consumer; writes the profile down.

    Raises Refused where the app looks used, LeaseTaken where another worker is at it, and what ends it half-way: run
    again, it cleans up and begins anew.
    """
    connections, consumer = plan.connections, plan.consumer
    with _leased(plan, stopped) as lease:
        _no_rotation_open(plan)
        lab = _lab(plan, lease, stopped, progress)
        rows = rows_of(connections.database, plan.org, consumer.consumer_id)
        keys = sorted(own_keys(connections, plan.org))
        found, second = calibrated(lab, rows, keys, partial(_run_as, plan), trusted=plan.app is not None)
        stated = connections.config.orgs[plan.org].stated_facts()
        made = Profile(plan.org, consumer.org_id, consumer.app_id, consumer.consumer_id, connections.now(),
                       plan.salesforce.versions()[-1], found, connections.pins.facts(consumer.org_id), second, stated)
        return _written(plan, made)


def _written(plan: Plan, made: Profile) -> Profile:
    """Signed where a key is configured, in the trail as it was signed, and each fact where rotations read it."""
    connections = plan.connections
    signer = signer_of(connections)
    if signer is not None:
        made = made.signed(signer.public.id, signer.sign(made.body))
    _record(plan, Event("calibrate", Phase.DECISION, Outcome.OK, evidence=made.evidence))
    how = f"calibrate on {plan.consumer.app_name or plan.consumer.app_id}, release {made.release}"
    connections.pins.learn(made.org_id, made.learned, how)
    return made.knowing(connections.pins.facts(made.org_id))


def _record(plan: Plan, event: Event) -> None:
    plan.connections.trail.record(event, plan.who, org=plan.org, app=plan.name)


def _lab(plan: Plan, lease: Lease, stopped: Callable[[], bool], progress: Progress) -> Lab:
    config = plan.connections.config
    lab = Lab(
        plan.salesforce, plan.consumer, plan.connections.clock, plan.ports.logins, timing_of(config.timing),
        probe="limits", record=partial(_record, plan), keep=_Heart(plan, lease).beat, stopped=stopped,
        progress=progress,
    )  # fmt: skip
    if plan.app is not None:
        target = target_of(plan.name, plan.app, config.orgs[plan.org].host)
        plan.ports.vault.preflight(target)
        lab.publish = partial(_publish, lab, plan.ports.vault, target)
    return lab


def _publish(lab: Lab, vault: Vault, target: Target, pair: Pair) -> None:
    """The canary's live path follows: a pair is in Vault before Salesforce makes it primary (invariant 2)."""
    live = lab.patient(lambda: vault.live(target), "reads the live path")
    new = Credential(pair, NAME, live.credential.other if live.credential else {})

    def write() -> None:
        vault.write_live(target, new, live.number)

    acts.changed(lab, "publish", write, lambda: vault.live(target).key == pair.key, cas=live.number,
                 path=target.path, key_fp=fingerprint(pair.key))  # fmt: skip


def _run_as(plan: Plan, held: Holders) -> str:
    """The id of the run-as user. Raises Refused where it is not shown, or is a user of the rotator's own."""
    shown = held.run_as or (held.users[0] if held.users else "")
    user = shown if is_id(shown) or not shown else _user_named(plan, shown)
    if not user:
        raise Refused("the org does not show whom the app runs as", code="run_as_hidden",
                      fix="choose a Run As user in the app's policies; the rotator needs View All External Client Apps")
    own = {plan.salesforce.user_id[:15], plan.salesforce.responder_id[:15]}
    if user[:15] in own:
        raise Refused("this app runs as the rotator's own user: its sessions would be ended", code="app_in_use",
                      fix="give the throwaway app a run-as user of its own")
    return user


def _user_named(plan: Plan, username: str) -> str:
    rows = plan.salesforce.query(f"SELECT Id FROM User WHERE Username = {quoted(username)}")  # noqa: S608 - quoted
    return str(rows[0].get("Id") or "") if len(rows) == 1 else ""


def _no_rotation_open(plan: Plan) -> None:
    row = plan.ports.ledger.read(plan.consumer.org_id, plan.consumer.consumer_id).rotation
    if row is not None and not row.ended:
        raise Refused(f"a rotation of {row.app} is open ({row.state})", code="rotation_open",
                      fix=f"let it end, or `rotator abandon {row.app}`; see `rotator status {row.app}`")


class _Heart:
    """Keeps the lease: three times in its length, and before each change."""

    def __init__(self, plan: Plan, lease: Lease) -> None:
        self._ledger, self._lease, self._clock = plan.ports.ledger, lease, plan.connections.clock
        self._seconds = plan.connections.config.timing.lease.total_seconds()
        self._next = 0.0

    def beat(self, at_once: bool) -> None:
        """Raises Stale where another worker has it."""
        if at_once or self._clock.monotonic() >= self._next:
            self._ledger.extend(self._lease, self._seconds)
            self._next = self._clock.monotonic() + self._seconds / 3


@contextmanager
def _leased(plan: Plan, stopped: Callable[[], bool]) -> Iterator[Lease]:
    """The lease while inside. Raises LeaseTaken where another worker does not let go within a lease."""
    ledger, clock, me = plan.ports.ledger, plan.connections.clock, owner()
    seconds = plan.connections.config.timing.lease.total_seconds()
    place, end = (plan.consumer.org_id, plan.consumer.consumer_id), clock.monotonic() + seconds + LATE
    while (lease := ledger.claim(*place, me, seconds)) is None:
        if stopped() or clock.monotonic() >= end:
            raise LeaseTaken(f"another worker is at {plan.name}")
        clock.sleep(PRESSING)
    try:
        yield lease
    finally:
        with suppress(RotatorError):
            ledger.yield_lease(lease)
