"""All that is open, then all that is due: what a timer calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from rotator.domain.changes import Changes
from rotator.domain.errors import Refused
from rotator.domain.event import Event
from rotator.domain.policy import Due, due
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Goal, Outcome, Phase, State, Trigger
from rotator.saga.requests import proof_is_old
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Setting, attend
from rotator.wiring.rotate import Wish, errand_for, usual, way_of_open
from rotator.wiring.settings import schedule_of
from rotator.wiring.told import moment

Skipped = Sequence[Mapping[str, object]]


def run_once(connections: Connections, setting: Setting, who: Who) -> tuple[list[Errand], Skipped]:
    """Resumes every open rotation and begins every one that is due; drives them side by side until all rest.

    Gives their errands, and the apps that were left alone, with the reason.
    """
    ages = ages_of(connections)
    rows = [row for row in connections.ledger.rotations(open_only=True) if not outlived(connections, row, ages)]
    errands = [resume(connections, setting, row, who) for row in rows]
    skipped = []
    for name in sorted(connections.config.apps.keys() - {row.app for row in rows}):
        why = why_not(connections, name, ages.get(name))
        if why is None:
            errands.append(errand_for(connections, setting, name, Wish(who, Trigger.SCHEDULED)))
        else:
            skipped.append(why)
    attend(errands, setting)  # in this order: what is open comes first
    return errands, skipped


def outlived(connections: Connections, row: Rotation, ages: Mapping[str, datetime]) -> bool:
    """Whether only its proof holds this rotation open while the app's next one is due: that one takes over."""
    known = row.app in connections.config.apps and proof_is_old(row, Trigger.SCHEDULED)
    return known and why_not(connections, row.app, ages.get(row.app)) is None


def why_not(connections: Connections, name: str, last: datetime | None) -> Mapping[str, object] | None:
    """Why a routine rotation of this app is not begun now; None where it is due."""
    app = connections.config.apps[name]
    if not app.enabled:
        return {"app": name, "reason": "disabled"}
    if app.kind != "external_client_app":
        return {"app": name, "reason": "assisted: a classic connected app"}
    told = due_of(connections, name, last)
    return None if told.now else {"app": name, "reason": "not due", "next_due_at": moment(told.at)}


def due_of(connections: Connections, name: str, last: datetime | None) -> Due:
    """When the app is due, by the database's clock; `last` is when its present secret was asked for."""
    return due(schedule_of(connections.config.apps[name]), name, last, connections.now())


def ages_of(connections: Connections) -> Mapping[str, datetime]:
    """When the present secret of each app was asked for: the start of its last rotation that retired the old pair."""
    rows = connections.ledger.rotations(open_only=False)  # oldest first: the last one stays
    return {row.app: row.started_at for row in rows if row.retired_at is not None and row.started_at is not None}


def resume(connections: Connections, setting: Setting, row: Rotation, who: Who) -> Errand:
    """An open rotation's errand. An app that the configuration no longer names is undone before publish, finished
    after it; without its org nothing can be done, and a human is told (protocol section 1)."""
    until = usual(row.policy.overlap)
    if row.org not in connections.config.orgs:
        return Errand.left_alone(setting, hold_without_org(connections, setting, row), until)
    gone = row.app not in connections.config.apps
    if gone and row.publish_version == -1 and row.goal is Goal.ROTATE:
        with suppress(Refused):  # too late by now: then it is finished
            connections.ledger.ask_abandon(row.id, who)
    return Errand(setting, row.app, until, partial(way_of_open, connections, row), undoes=gone)


def hold_without_org(connections: Connections, setting: Setting, row: Rotation) -> Rotation:
    """Holds a rotation whose org is not configured any more. Gives the row as it is where somebody works at it."""
    ledger, consumer = connections.ledger, row.consumer
    lease = None if row.state is State.HELD else ledger.claim(
        consumer.org_id, consumer.consumer_id, setting.owner, setting.timing.lease.total_seconds())  # fmt: skip
    if lease is None:
        return row
    words = f"the org {row.org} is not configured any more"
    held: Changes = {"state": State.HELD, "reason": "org_gone", "message": words, "next_at": None, "released": False,
                     "fix": f"put [orgs.{row.org}] back, then `rotator release {row.app}`", "step": "hold"}
    try:
        return ledger.commit(lease, row, Event("hold", Phase.DECISION, Outcome.HELD, error=words), held)
    finally:
        ledger.yield_lease(lease)
