"""What is due, by the ledger and the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from rotator.adapters.sql.survey import Survey, survey
from rotator.domain import standing
from rotator.domain.errors import Refused, Unavailable
from rotator.domain.pause import pause_of
from rotator.domain.policy import due
from rotator.domain.rotation import Rotation
from rotator.domain.standing import Standing
from rotator.domain.words import Trigger, Why
from rotator.saga.requests import proof_is_old
from rotator.wiring.connections import Connections
from rotator.wiring.limits import barred
from rotator.wiring.moving import held
from rotator.wiring.own import other_open
from rotator.wiring.settings import schedule_of
from rotator.wiring.told import moment

NOT_DUE = "not_due"
PLAIN = {
    Why.DISABLED: "disabled",
    Why.UNCONFIGURED: "not in the configuration",
}


def standing_of(connections: Connections, name: str, seen: Survey, row: Rotation | None = None, *,
                limit: str = "") -> Standing:
    """How the app stands: `row` is its open rotation, `limit` says why its org takes nothing new now, should more than
    what this process knows of it speak against it."""
    if row is not None:
        return standing.opened(row, limit=limit or barred(connections, row.org))
    plain = _never(connections, name)
    if plain is not None:
        return Standing(plain, PLAIN[plain])
    app = connections.apps[name]
    told = due(schedule_of(app, connections.config.timing), name, seen.last.get(name), seen.now, seen.outage)
    pause = pause_of(seen.pauses, name, app.org)
    limit = limit or held(connections, app.org, seen)
    limit = limit or (barred(connections, app.org) or other_open(seen.open, name) if told.now else "")
    return standing.closed(told, seen.now, pause=pause, failures=seen.failures.get(name), limit=limit)


def _never(connections: Connections, name: str) -> Why | None:
    app = connections.apps.get(name)
    if app is None:
        return Why.UNCONFIGURED
    return None if app.enabled else Why.DISABLED


def why_not(connections: Connections, name: str, seen: Survey) -> Mapping[str, object] | None:
    """Why `run --once` does not begin this app; None where it does: what is due waits neither for its turn after an
    outage nor for the end of a backoff, for the next call may come tomorrow."""
    found = standing_of(connections, name, seen.impatient())
    if found.now:
        return None
    if found.code in (Why.PAUSED, Why.LIMIT) or found.code in PLAIN:
        return {"app": name, "reason": found.words}
    return {"app": name, "reason": "not due", "why": found.words, "next_due_at": moment(found.at)}


def outlived(connections: Connections, row: Rotation, seen: Survey) -> bool:
    """Whether only its proof holds this rotation open while the app's next one is due: that one takes over."""
    known = row.app in connections.apps and proof_is_old(row, Trigger.SCHEDULED)
    return known and standing_of(connections, row.app, seen).now


def must_be_due(connections: Connections, name: str) -> None:
    """Asked under the lease, before a scheduled rotation begins: another daemon or a person may have been quicker
    than the look that found it due. Raises Refused (`not_due`), and Unavailable (`api_limit`) where the org, which was
    asked meanwhile, has no API requests to spare."""
    seen = survey(connections.database, name)
    found = standing_of(connections, name, seen.impatient())
    if found.code is Why.LIMIT:
        raise Unavailable(found.words, code="api_limit")
    why = why_not(connections, name, seen)
    if why is not None:
        raise Refused(f"{name} is not due any more: {why['reason']}", code=NOT_DUE,
                      fix="nothing to do: see `rotator status`")
