"""What is open, next and overdue, from the database alone: no call to an org or to Vault."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rotator.adapters.sql.survey import Survey, last_forced, survey
from rotator.adapters.sql.sweeps import seen as sightings
from rotator.domain.facts import LIFE, Facts
from rotator.domain.notice import Backlog
from rotator.domain.pause import pause_of
from rotator.domain.rotation import Rotation
from rotator.domain.sighting import Sighting, everything
from rotator.wiring import approving
from rotator.wiring.connections import Connections
from rotator.wiring.due import standing_of
from rotator.wiring.gauges import side_of
from rotator.wiring.leaking import if_leaked
from rotator.wiring.limits import barred
from rotator.wiring.pausing import as_json
from rotator.wiring.told import moment, rotation

Json = dict[str, object]


def status(connections: Connections, app: str = "") -> Json:
    """The document of `rotator status`; of one app where it is named. Raises UsageError for an unknown app."""
    seen = survey(connections.database)
    rows = {row.app: row for row in seen.open}
    if app and app not in rows:
        connections.app(app)
    names = [app] if app else [*connections.apps, *sorted(rows.keys() - connections.apps.keys())]
    drift, waiting = connections.database.read(sightings), [_waiting(one) for one in connections.outbox.backlog()]
    forced = last_forced(connections.database)
    facts = {org: _known(connections, org) for org in connections.config.orgs}
    told = [
        _one(connections, name, rows.get(name), seen) | _pause(connections, name, seen)
        | _drift(drift, name) | _leak(connections, name, forced, facts)
        for name in names
    ]  # fmt: skip
    swept = {org: moment(seen.swept.get(org)) for org in connections.config.orgs}
    second = {"approvals": approving.waiting(connections)["requests"], "reviews": approving.to_review(connections)}
    return {"daemon": None, "now": moment(seen.now), "swept": swept, "apps": told, "notices": waiting, **second,
            "orgs": [_org(connections, name, seen.now) | _drift(drift, everything(name))
                     for name in connections.config.orgs]}  # fmt: skip


def _org(connections: Connections, name: str, now: datetime) -> Json:
    """What this process knows of an org: why its routine work waits, its own count of API requests of 24 hours, and
    the token requests of the last hour. A command without a daemon has just begun, and knows nothing yet."""
    side = side_of(connections, name)
    known = side.api_most is not None
    return {
        "org": name,
        "waits": barred(connections, name) or None,
        "breaker": side.breaker,
        "api_requests": {"used": side.api_used, "limit": side.api_most} if known else None,
        "logins": {who: {"used": used, "budget": budget} for who, (used, budget) in side.logins.items()},
        "facts": _facts(connections, name, now),
    }


def _facts(connections: Connections, name: str, now: datetime) -> Json:
    """How many facts of the org were seen, and whether any of them is too old to be believed without a look."""
    seen = connections.pins.seen(connections.config.orgs[name].org_id or connections.pins.pinned(name))
    oldest = min((datetime.fromisoformat(one.seen_at) for one in seen), default=None)
    return {"seen": len(seen), "oldest_at": moment(oldest), "old": oldest is not None and now - oldest > LIFE}


def _known(connections: Connections, name: str) -> Facts:
    """What is known of an org: what was seen there, and over it what the configuration states."""
    org = connections.config.orgs[name]
    return connections.pins.facts(org.org_id or connections.pins.pinned(name)).merged(org.stated_facts())


def _leak(connections: Connections, name: str, forced: Mapping[str, Rotation], facts: Mapping[str, Facts]) -> Json:
    """Whether it is a canary, and how long its secret would live if it leaked now."""
    app = connections.apps.get(name)
    org = app.org if app is not None else None
    found = if_leaked(name, org, forced, facts.get(org or "", Facts()))
    return {"canary": app is not None and app.canary, "if_leaked": found}


def _drift(seen: Mapping[str, tuple[Sighting, ...]], place: str) -> Json:
    """What the sweep saw of an app, or of a whole org."""
    return {"drift": [_sighting(one) for one in seen.get(place, ())]}


def _sighting(one: Sighting) -> Json:
    """What the sweep saw that is not as it should be, or could not see."""
    return {"look": one.look, "state": one.state.value, "words": one.words, "fix": one.fix, "since": moment(one.since)}


def _one(connections: Connections, name: str, row: Rotation | None, seen: Survey) -> Json:
    app, last = connections.apps.get(name), seen.last.get(name)
    found = standing_of(connections, name, seen, row)
    return {
        "app": name,
        "org": row.org if row is not None else app.org if app is not None else None,
        "kind": app.kind if app is not None else None,
        "secret_age_s": round((seen.now - last).total_seconds()) if last is not None else None,
        "last_rotated_at": moment(last),
        "next_due_at": moment(found.at) if row is None else None,
        "overdue": found.overdue,
        "why": found.words,
        "why_code": found.code.value,
        "rotation": rotation(row) if row is not None else None,
    }


def _waiting(told: Backlog) -> Json:
    """What a channel has not been told, and why."""
    return {"channel": told.channel, "waiting": told.waiting, "given_up": told.given_up,
            "oldest_at": moment(told.oldest), "error": told.error or None}  # fmt: skip


def _pause(connections: Connections, name: str, seen: Survey) -> Json:
    """Whether routine work on the app is paused, by whom, why and until when."""
    app = connections.apps.get(name)
    found = pause_of(seen.pauses, name, app.org) if app is not None else None
    return {"paused": found is not None, "pause": as_json(found) if found is not None else None}
