"""What is open, next and overdue, from the database alone: no call to an org or to Vault."""

from __future__ import annotations

from datetime import datetime

from rotator.adapters.sql.survey import Survey, survey
from rotator.config import AppConfig
from rotator.domain.pause import pause_of
from rotator.domain.policy import Due, due
from rotator.domain.rotation import Rotation
from rotator.wiring.connections import Connections
from rotator.wiring.pausing import as_json
from rotator.wiring.settings import schedule_of
from rotator.wiring.told import moment, rotation

Json = dict[str, object]


def status(connections: Connections, app: str = "") -> Json:
    """The document of `rotator status`; of one app where it is named. Raises UsageError for an unknown app."""
    seen = survey(connections.database)
    rows = {row.app: row for row in seen.open}
    if app and app not in rows:
        connections.app(app)
    names = [app] if app else [*connections.config.apps, *sorted(rows.keys() - connections.config.apps.keys())]
    ages, now = seen.last, seen.now
    told = [
        _one(connections, name, rows.get(name), ages.get(name), now) | _pause(connections, name, seen) for name in names
    ]
    return {"daemon": None, "now": moment(now), "apps": told}


def _one(connections: Connections, name: str, row: Rotation | None, last: datetime | None, now: datetime) -> Json:
    app = connections.config.apps.get(name)
    routine = app is not None and app.enabled
    next_ = due(schedule_of(app), name, last, now) if app is not None and routine and row is None else None
    return {
        "app": name,
        "org": row.org if row is not None else app.org if app is not None else None,
        "kind": app.kind if app is not None else None,
        "secret_age_s": round((now - last).total_seconds()) if last is not None else None,
        "last_rotated_at": moment(last),
        "next_due_at": moment(next_.at) if next_ is not None else None,
        "overdue": next_ is not None and next_.overdue,
        "why": _why(app, row, next_),
        "rotation": rotation(row) if row is not None else None,
    }


def _pause(connections: Connections, name: str, seen: Survey) -> Json:
    """Whether routine work on the app is paused, by whom, why and until when."""
    app = connections.config.apps.get(name)
    found = pause_of(seen.pauses, name, app.org) if app is not None else None
    return {"paused": found is not None, "pause": as_json(found) if found is not None else None}


def _why(app: AppConfig | None, row: Rotation | None, next_: Due | None) -> str:
    if row is not None:
        return row.message or f"a rotation is open: {row.state}"
    if app is not None and not app.enabled:
        return "disabled"
    return next_.why if next_ is not None else "not in the configuration"
