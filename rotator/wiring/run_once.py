"""All that is open, then all that is due: what a timer calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from rotator.adapters.sql.survey import survey
from rotator.domain.changes import Changes
from rotator.domain.errors import Refused, RotatorError
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Goal, Outcome, Phase, State, Trigger
from rotator.wiring import followups, force, notices
from rotator.wiring.anchoring import anchor_if_due
from rotator.wiring.connections import Connections
from rotator.wiring.due import NOT_DUE, outlived, why_not
from rotator.wiring.errand import Errand, Setting, attend
from rotator.wiring.rotate import Wish, errand_for, usual, way_of_open

Skipped = Sequence[Mapping[str, object]]


def run_once(connections: Connections, setting: Setting, who: Who) -> tuple[list[Errand], Skipped]:
    """Begins every force that a second person has approved, resumes every open rotation and begins every one that is
    due; drives them side by side until all rest.

    Gives their errands, and the apps that were left alone, with the reason.
    """
    seen = survey(connections.database)
    orders = dict(force.approved(connections))
    rows = [row for row in seen.open if row.app not in orders and not outlived(connections, row, seen)]
    errands = [force.errand_for(connections, setting, name, order) for name, order in orders.items()]
    errands += [resume(connections, setting, row, who) for row in rows]
    skipped: list[Mapping[str, object]] = []
    for name in sorted(connections.apps.keys() - {row.app for row in rows} - orders.keys()):
        why = why_not(connections, name, seen)
        if why is None:
            errands.append(errand_for(connections, setting, name, Wish(who, Trigger.SCHEDULED)))
        else:
            skipped.append(why)
    with suppress(RotatorError):
        followups.look(connections, who)
    with suppress(RotatorError):  # told in the log: an anchor that cannot be made stops no rotation
        anchor_if_due(connections, who)
    attend(errands, setting)  # in this order: what is open comes first
    with suppress(RotatorError):
        notices.look(connections)
    late = {errand: errand.error.message for errand in errands if errand.error and errand.error.code == NOT_DUE}
    skipped += [{"app": errand.app, "reason": why} for errand, why in late.items()]
    return [errand for errand in errands if errand not in late], skipped


def resume(connections: Connections, setting: Setting, row: Rotation, who: Who) -> Errand:
    """An open rotation's errand. An app that the configuration no longer names is undone before publish, finished
    after it; without its org nothing can be done, and a human is told (protocol section 1)."""
    until = usual(row.policy.overlap)
    if row.org not in connections.config.orgs:
        return Errand.left_alone(setting, hold_without_org(connections, setting, row), until)
    gone = row.app not in connections.apps
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
