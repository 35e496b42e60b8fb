"""Rotating apps now: what is open is resumed, where nothing is open a rotation begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from rotator.config import AppConfig, OwnApp
from rotator.domain.errors import ConfigError, Refused, UsageError
from rotator.domain.pair import Consumer
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Trigger
from rotator.ports import Lease
from rotator.saga.opening import open_rotation
from rotator.saga.requests import proof_is_old
from rotator.saga.seen import Picture
from rotator.saga.worker import Ports
from rotator.wiring import own
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.due import NOT_DUE, must_be_due
from rotator.wiring.errand import Errand, Setting, Until, Way, attend
from rotator.wiring.leaking import force_ended
from rotator.wiring.settings import policy_of, target_of

OWN_PAIRS = "own"  # in the place of a consumer's id, which begins with 888


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a rotation. `until` None: `done` where the overlap is zero, else `overlap`."""

    who: Who
    trigger: Trigger = Trigger.MANUAL
    until: Until | None = None
    dry_run: bool = False


def rotate(connections: Connections, setting: Setting, apps: Iterable[str], wish: Wish) -> list[Errand]:
    """Drives all apps side by side until each is at rest or the patience is over. An app named twice counts once.

    Raises UsageError for an unknown app, before anything is done. Everything else stands in the errands.
    """
    names = list(dict.fromkeys(apps))
    errands = [errand_for(connections, setting, name, wish) for name in names]
    attend(errands, setting)
    return errands


def errand_for(connections: Connections, setting: Setting, name: str, wish: Wish) -> Errand:
    """One app's errand, which resumes what is open. Raises UsageError for an unknown app."""
    row = open_row(connections, name)
    if row is not None and not proof_is_old(row, wish.trigger):
        return Errand(setting, name, wish.until or usual(row.policy.overlap), partial(way_of_open, connections, row))
    until = wish.until or usual(connections.app(name).overlap)
    return Errand(setting, name, until, partial(way_to, connections, name, wish))


def usual(overlap: timedelta) -> Until:
    """How far a command goes that was not told."""
    return Until.OVERLAP if overlap else Until.DONE


def open_row(connections: Connections, name: str) -> Rotation | None:
    """The open rotation of this app; None where none is open. Raises UsageError for a name that nobody knows."""
    found = connections.ledger.rotations(open_only=True, app=name)
    if not found:
        connections.app(name)
    return found[-1] if found else None


def way_of_open(connections: Connections, row: Rotation) -> Way:
    """The way to an open rotation, over the host that it froze. Raises ConfigError where its org is not configured."""
    if row.org not in connections.config.orgs:
        raise ConfigError(f"the org {row.org} of the open rotation of {row.app} is not configured any more",
                          fix=f"put [orgs.{row.org}] back until the rotation has ended", where=f"orgs.{row.org}")
    ports = own.ports_for(connections, row.app, row.org, row.target.login_url)
    return Way(ports, row.consumer, row=row, ended=partial(force_ended, connections))


def way_to(connections: Connections, name: str, wish: Wish) -> Way:
    """The way to an app without an open rotation: asks the org for its consumer, and pins the org."""
    app = connections.app(name)
    ports = own.ports_for(connections, name, app.org)
    consumer = own.find(connections, name, app, ports)
    if consumer.assisted and wish.dry_run:
        raise UsageError(f"{name} is a classic connected app: a person rotates it, and nothing can be tried out before",
                         fix="leave --dry-run away; `rotator check` looks at its prerequisites")
    connections.met(app.org, consumer.org_id, wish.who)
    return Way(ports, consumer, partial(begin, connections, ports, name, app, consumer, wish), trigger=wish.trigger)


def begin(connections: Connections, ports: Ports, name: str, app: AppConfig, consumer: Consumer, wish: Wish,
          lease: Lease) -> tuple[Rotation, Picture]:
    """Opens the rotation, under the lease. Raises Refused where a scheduled one is not due any more."""
    if isinstance(app, OwnApp):
        with alone(connections, name, consumer.org_id, wish.trigger):
            return _open(connections, ports, name, app, consumer, wish, lease)
    return _open(connections, ports, name, app, consumer, wish, lease)


@contextmanager
def alone(connections: Connections, name: str, org_id: str, trigger: Trigger) -> Iterator[None]:
    """While one of the rotator's own pairs is begun: the other, which rotates it, is not itself rotated meanwhile. A
    lease on no consumer keeps out whoever begins that one. Raises Refused (`other_open`; for a scheduled one
    `not_due`: it comes again by itself)."""
    ledger, seconds = connections.ledger, connections.config.timing.lease.total_seconds()
    lease = ledger.claim(org_id, OWN_PAIRS, owner(), seconds)
    try:
        why = own.other_open(ledger.rotations(open_only=True), name) if lease else "waits: the other is begun just now"
        if why:
            code = NOT_DUE if trigger is Trigger.SCHEDULED else "other_open"
            raise Refused(f"{name} {why}", code=code, fix=f"see `rotator status {name}`, then ask again")
        yield
    finally:
        if lease is not None:
            ledger.yield_lease(lease)


def _open(connections: Connections, ports: Ports, name: str, app: AppConfig, consumer: Consumer, wish: Wish,
          lease: Lease) -> tuple[Rotation, Picture]:
    if wish.trigger is Trigger.SCHEDULED:
        must_be_due(connections, name)
    host = connections.config.orgs[app.org].host
    return open_rotation(
        ports, lease, app=name, org=app.org, consumer=consumer, target=target_of(name, app, host),
        policy=policy_of(app, dry_run=wish.dry_run), who=wish.who, trigger=wish.trigger,
        untouchable=own.untouchable(connections, app),
    )  # fmt: skip
