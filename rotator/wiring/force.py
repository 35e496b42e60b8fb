"""The answer to a compromise: forced rotations of one app or many, at once, whatever is open or paused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

from rotator.adapters.sql.audit import Subject
from rotator.adapters.sql.survey import run_as_by_app
from rotator.config import AppConfig
from rotator.config.own import own_apps
from rotator.domain.approval import FORCE, Request
from rotator.domain.errors import ApprovalNeeded, Refused, RotatorError, UsageError
from rotator.domain.event import Event
from rotator.domain.pair import Consumer
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.words import Outcome, Phase, Trigger
from rotator.ports import Lease
from rotator.saga.opening import open_rotation
from rotator.saga.requests import same_order
from rotator.saga.seen import Picture
from rotator.saga.worker import Ports
from rotator.wiring import own, switches, witness
from rotator.wiring.anchoring import anchor_beside
from rotator.wiring.asking import owner
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Setting, Until, Way, attend
from rotator.wiring.leaking import force_ended
from rotator.wiring.naming import nearest
from rotator.wiring.rotate import open_row, way_of_open
from rotator.wiring.settings import forced_policy, target_of

PER_ORG = 4  # rotations of one org at once: a quarter of Salesforce's usual 25 long requests is left to others
AT_ONCE = 16  # of all orgs
USUAL_PAST = timedelta(days=30)  # how far evidence goes back, unless told
OWN = "the rotator's own pair is forced by its name alone, once the others are done"
OPTIONS = ("including_users", "block_first", "stay_blocked")  # of an order: other ones are another order

Skipped = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. `since`: from when on evidence is looked up; None: thirty days. `request`: the one that
    a second person has approved, or must."""

    who: Who
    including_users: bool = False
    since: datetime | None = None
    block_first: bool = False
    stay_blocked: bool = False
    request: Request | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The apps of an order, and those that stay out of it, with the reason. `asked`: of these the caller spoke."""

    apps: tuple[str, ...]
    skipped: Skipped


def scope(connections: Connections, apps: Iterable[str], org: str, *, everything: bool) -> Scope:
    """From what was said; every configured app is accounted for. A disabled app's secret leaks like any other: taken.

    Raises UsageError where it is not exactly one of the three, or a name is not known.
    """
    names, config = list(dict.fromkeys(apps)), connections.config
    if bool(names) + bool(org) + everything != 1:
        raise UsageError("name apps, or --org ORG, or --all", fix="see `rotator force --help`")
    if org and org not in config.orgs:
        raise UsageError(f"no org is called {org}{nearest(org, config.orgs)}", code="unknown_org",
                         fix="see [orgs] in the configuration")  # fmt: skip
    for name in names:
        connections.app(name)
    own_ones = own_apps(config)
    wanted = [name for name, app in config.apps.items() if everything or name in names or app.org == org]
    wanted += [name for name in own_ones if name in names]
    taken = tuple(names or wanted)
    left = [name for name in connections.apps if name not in taken]
    reasons = {name: OWN if name in own_ones else "not asked for" for name in left}
    return Scope(taken, [{"app": name, "reason": why, "asked": name in wanted} for name, why in reasons.items()])


def admitted(connections: Connections, order: Order, apps: Sequence[str]) -> Order:
    """The order with its request, where the configuration wants a second person: approved by now, or waiting. None is
    made where it only goes on with what it began, or where one person takes it on alone (break-glass)."""
    rows = [open_row(connections, name) for name in apps]
    goes_on = bool(rows) and all(row is not None and same_order(row, order.who) for row in rows)
    if not connections.config.approval.second_person or order.who.break_glass or goes_on:
        return order
    what = {"apps": {name: connections.app(name).org for name in sorted(apps)}, "reason": order.who.reason,
            "ticket": order.who.ticket, **{name: getattr(order, name) for name in OPTIONS}}  # fmt: skip
    request = connections.approvals.ask(FORCE, what, order.who, order.since)
    return replace(order, request=request, who=request.who if request.approved_at else order.who)


def order_of(request: Request) -> Order:
    """What was asked for."""
    options = {name: bool(request.what.get(name)) for name in OPTIONS}
    return Order(request.who, since=request.since, request=request, **options)


def approved(connections: Connections) -> Iterator[tuple[str, Order]]:
    """The apps that are to be forced because a second person has approved it, and that nobody has begun yet."""
    wanted = connections.config.approval.second_person
    for request in connections.approvals.open() if wanted else ():
        if request.action == FORCE and request.approved_at is not None:
            order = order_of(request)
            names = (one.app for one in request.subjects if one.app in connections.apps)
            yield from ((name, order) for name in names if begun(connections, name, order) is None)


def begun(connections: Connections, name: str, order: Order) -> Rotation | None:
    """The rotation that this approval opened: it opens one of each app."""
    since = order.request.approved_at if order.request is not None else None
    if since is None:
        return None
    rows = connections.ledger.rotations(open_only=False, app=name)
    return next((row for row in reversed(rows) if same_order(row, order.who)
                 and row.started_at is not None and row.started_at >= since), None)  # fmt: skip


def _must_be_approved(connections: Connections, order: Order, app: AppConfig) -> None:
    """Raises ApprovalNeeded."""
    free = order.who.break_glass or not connections.config.approval.second_person
    if not free and (order.request is None or order.request.approved_at is None):
        raise ApprovalNeeded(order.request.id if order.request is not None else "", app.org)


def shared_users(connections: Connections, apps: Iterable[str]) -> list[dict[str, object]]:
    """The configured apps that run as one user, where one of `apps` is among them: their sessions are told apart by app
    and time only. As the org says; where it does not answer, as the last rotations saw. Raises nothing."""
    wanted = set(apps)
    seen: dict[tuple[str, str], list[str]] = {}
    known: Mapping[str, str] = {}
    with suppress(RotatorError):
        known = run_as_by_app(connections.database)
    for org in dict.fromkeys(connections.apps[name].org for name in wanted):
        users: Mapping[str, str] = {}
        with suppress(RotatorError):
            users = connections.org(org).run_as_users()
        for name, app in connections.apps.items():
            user = users.get(app.app) or known.get(name)
            if app.org == org and user:
                seen.setdefault((org, user), []).append(name)
    return [{"org": org, "run_as": user, "apps": names} for (org, user), names in seen.items()
            if len(names) > 1 and wanted & set(names)]  # fmt: skip


def force(connections: Connections, setting: Setting, apps: Iterable[str], order: Order) -> list[Errand]:
    """Drives all apps side by side, a few of each org at once, until each is at rest or the patience is over."""
    errands = [errand_for(connections, setting, name, order) for name in apps]
    attend_by_org(connections, setting, errands)
    return errands


def errand_for(connections: Connections, setting: Setting, name: str, order: Order) -> Errand:
    """One app's errand. It is an owner of leases of its own: many work side by side. What this approval has opened and
    is over is only told."""
    row = begun(connections, name, order)
    if row is not None and row.ended:
        return Errand.left_alone(setting, row, Until.DONE)
    return Errand(replace(setting, owner=owner()), name, Until.DONE, partial(way_to_force, connections, name, order))


def way_to_force(connections: Connections, name: str, order: Order) -> Way:
    """The way to an app that is to be forced: evidence is gathered on it. What the same order began is resumed.

    Raises Refused where others than the run-as user hold tokens of the app, and the order does not include them.
    """
    row, app = open_row(connections, name), connections.app(name)
    if row is not None and same_order(row, order.who):
        return replace(way_of_open(connections, row), order=order.who)
    _must_be_approved(connections, order, app)
    ports = own.ports_for(connections, name, app.org)
    consumer = own.find(connections, name, app, ports)
    connections.met(app.org, consumer.org_id, order.who)
    run_as, notes = holders_of(connections, ports, name, consumer, order)
    if consumer.assisted and (order.block_first or order.stay_blocked):
        notes.append("no API blocks a classic connected app: `rotator block` freezes its run-as user")
    since = order.since or connections.now() - USUAL_PAST
    seen = witness.gather(ports.salesforce, consumer, run_as, since)
    begin = partial(_begin, connections, ports, name, app, consumer, order, seen, notes)
    ended = partial(force_ended, connections)
    return Way(ports, consumer, begin, trigger=Trigger.FORCE, ended=ended, order=order.who)


def holders_of(connections: Connections, ports: Ports, name: str, consumer: Consumer,
               order: Order) -> tuple[str, list[str]]:
    """The run-as user as far as it is known, and what could not be seen. Raises Refused as `way_to_force` says."""
    known = ""
    try:
        known = run_as_by_app(connections.database).get(name, "")
        found = ports.salesforce.holders(consumer)
    except RotatorError as error:  # what cannot be seen must not delay the answer to a compromise
        return known, [f"who holds tokens of the app could not be seen: {error.message}"]
    run_as = found.run_as or known or (found.users[0] if len(found.users) == 1 else "")
    others = [user for user in found.users if user[:15] != run_as[:15]]
    if others and not order.including_users:
        raise Refused(
            f"{len(others)} users besides the run-as user hold tokens of {name}: {', '.join(others[:5])}; ending the"
            " app's tokens would log them out", code="users_hold_tokens",
            fix="force it with --including-users, or see External Client Apps OAuth Usage in Setup",
        )  # fmt: skip
    return run_as, [*found.notes, *([] if found.complete else ["not every holder of tokens could be seen"])]


def _begin(connections: Connections, ports: Ports, name: str, app: AppConfig, consumer: Consumer, order: Order,
           seen: witness.Gathered, notes: Sequence[str], lease: Lease) -> tuple[Rotation, Picture]:
    """Opens the rotation under the lease, and keeps the evidence with it."""
    host = connections.config.orgs[app.org].host
    policy = _policy(app, order, assisted=consumer.assisted)
    with switches.in_nobodys_hand(connections, name, consumer, ports.salesforce, block_first=policy.block_first):
        row, picture = open_rotation(
            ports, lease, app=name, org=app.org, consumer=consumer, target=target_of(name, app, host), policy=policy,
            who=order.who, trigger=Trigger.FORCE, untouchable=own.untouchable(connections, app),
        )  # fmt: skip
    anchor_beside(connections, row)
    keep = partial(_keep, connections, order.who, Subject.of(row))
    if notes:
        keep(Event("force", Phase.OBSERVE, Outcome.UNKNOWN, evidence={"evidence": "holders", "notes": list(notes)}))
    seen.keep(keep)
    return row, picture


def _policy(app: AppConfig, order: Order, *, assisted: bool) -> Policy:
    """No API blocks a classic connected app."""
    return forced_policy(app, including_users=order.including_users, block_first=order.block_first and not assisted,
                         stay_blocked=order.stay_blocked and not assisted)


def _keep(connections: Connections, who: Who, subject: Subject, event: Event) -> None:
    connections.trail.record(event, who, org=subject.org, app=subject.app, rotation_id=subject.rotation_id)


def attend_by_org(connections: Connections, setting: Setting, errands: Sequence[Errand]) -> None:
    """Turns the errands in a few threads of each org, so that no org is asked too much at once and none waits for
    another. What is told comes one at a time."""
    orgs: dict[str, list[Errand]] = {}
    for errand in errands:
        orgs.setdefault(connections.apps[errand.app].org, []).append(errand)
    each = max(1, min(PER_ORG, AT_ONCE // max(1, len(orgs))))
    rows = [found[at::each] for found in orgs.values() for at in range(min(each, len(found)))]
    hands = [list(chain.from_iterable(rows[at::AT_ONCE])) for at in range(min(AT_ONCE, len(rows)))]
    one = threading.Lock()
    for errand in errands:
        errand.setting = replace(errand.setting, report=_singly(one, errand.setting.report),
                                 waits=_singly(one, errand.setting.waits))  # fmt: skip
    with ThreadPoolExecutor(max(1, len(hands)), thread_name_prefix="force") as pool:
        list(pool.map(lambda some: attend(some, setting), hands))


def _singly(lock: threading.Lock, told: Callable[..., None]) -> Callable[..., None]:
    def locked(*about: Any) -> None:
        with lock:
            told(*about)

    return locked
