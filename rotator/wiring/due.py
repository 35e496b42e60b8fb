"""What is due, by the ledger and the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rotator.adapters.sql.survey import Survey, survey
from rotator.domain.errors import Refused
from rotator.domain.pause import pause_of
from rotator.domain.policy import Due, due
from rotator.domain.rotation import Rotation
from rotator.domain.words import Trigger
from rotator.saga.requests import proof_is_old
from rotator.wiring.connections import Connections
from rotator.wiring.settings import schedule_of
from rotator.wiring.told import moment

NOT_DUE = "not_due"


def why_not(connections: Connections, name: str, seen: Survey) -> Mapping[str, object] | None:
    """Why a routine rotation of this app is not begun now; None where it is due."""
    app = connections.config.apps[name]
    if not app.enabled:
        return {"app": name, "reason": "disabled"}
    if app.kind != "external_client_app":
        return {"app": name, "reason": "assisted: a classic connected app"}
    paused = pause_of(seen.pauses, name, app.org)
    if paused is not None:
        return {"app": name, "reason": str(paused)}
    told = due_of(connections, name, seen.last.get(name), seen.now)
    return None if told.now else {"app": name, "reason": "not due", "next_due_at": moment(told.at)}


def due_of(connections: Connections, name: str, last: datetime | None, now: datetime) -> Due:
    """When the app is due, by the database's clock; `last` is when its present secret was asked for."""
    return due(schedule_of(connections.config.apps[name]), name, last, now)


def outlived(connections: Connections, row: Rotation, seen: Survey) -> bool:
    """Whether only its proof holds this rotation open while the app's next one is due: that one takes over."""
    known = row.app in connections.config.apps and proof_is_old(row, Trigger.SCHEDULED)
    return known and why_not(connections, row.app, seen) is None


def must_be_due(connections: Connections, name: str) -> None:
    """Asked under the lease, before a scheduled rotation begins: another daemon or a person may have been quicker
    than the look that found it due. Raises Refused (`not_due`)."""
    why = why_not(connections, name, survey(connections.database))
    if why is not None:
        raise Refused(f"{name} is not due any more: {why['reason']}", code="not_due",
                      fix="nothing to do: see `rotator status`")
