"""The fleet as Prometheus is told of it: one survey of the database, and what this process knows of the far sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from rotator.adapters.sql.survey import Survey, survey
from rotator.adapters.sql.sweeps import seen as sightings
from rotator.adapters.sql.vitals import Vitals, vitals
from rotator.domain.errors import LedgerUnavailable
from rotator.domain.pause import pause_of
from rotator.domain.policy import Outage
from rotator.domain.rotation import Rotation
from rotator.domain.sighting import Sighting, everything
from rotator.domain.standing import Standing
from rotator.domain.words import State, Why
from rotator.metrics.fleet import App, Drift, Fleet, Head, Open, Side
from rotator.wiring.connections import Connections
from rotator.wiring.due import standing_of
from rotator.wiring.outside import OWN, WORKLOAD

STAGED_LIVES = timedelta(days=30)  # a pair in the slot, counted from its staging (reference 6.6)


Early = dict[str, tuple[tuple[datetime | None, Outage | None], datetime]]  # app -> from what, when it will be due


def fleet(connections: Connections, early: Early) -> Fleet:
    """Looks once. A database that does not answer is told as such; raises what else a read raises.

    `early` remembers when apps will be due, so that thousands of schedules are not reckoned anew at each look.
    """
    told = connections.context
    try:
        seen, signs = survey(connections.database), vitals(connections.database)
        notices, swept = tuple(connections.outbox.backlog()), connections.database.read(sightings)
    except LedgerUnavailable:
        return Fleet(0.0, told.version, told.config_hash, database=False, sides=sides(connections))
    rows = {row.app: row for row in seen.open}
    apps = tuple(_app(connections, name, rows.get(name), seen, early) for name in connections.apps)
    return Fleet(seen.now.timestamp(), told.version, told.config_hash, apps=apps, open=tuple(map(_open, seen.open)),
                 drift=tuple(_drift(connections, swept)),
                 head=_head(signs), notices=notices, sides=sides(connections))  # fmt: skip


def _drift(connections: Connections, swept: Mapping[str, tuple[Sighting, ...]]) -> Iterator[Drift]:
    """By app, and by org what is the whole org's; nothing of what is configured no more."""
    apps = {name: (name, app.org) for name, app in connections.apps.items()}
    places = apps | {everything(org): ("", org) for org in connections.config.orgs}
    for place in swept.keys() & places.keys():
        yield from (Drift(*places[place], one.look, one.state.value) for one in swept[place])


def sides(connections: Connections) -> tuple[Side, ...]:
    """Vault and each org."""
    orgs = (side_of(connections, name) for name in connections.config.orgs)
    return (Side("", connections.outside.breaker("")), *orgs)


def side_of(connections: Connections, name: str) -> Side:
    """One org, as this process knows it."""
    outside, limits, usage = connections.outside, connections.config.limits, connections.usage(name)
    logins = {WORKLOAD: (outside.spent.most(name), limits.logins_per_hour),
              OWN: (outside.spent.most(name, [OWN]), limits.own_logins_per_hour)}  # fmt: skip
    used, most = (usage.used, usage.most) if usage is not None else (None, None)
    return Side(name, outside.breaker(name), used, most, logins)


def _app(connections: Connections, name: str, row: Rotation | None, seen: Survey, early: Early) -> App:
    app, last = connections.apps[name], seen.last.get(name)
    age = (seen.now - last).total_seconds() if last is not None else None
    paused = pause_of(seen.pauses, name, app.org) is not None
    known, because = early.get(name), (last, seen.outage)
    if known is not None and known[0] == because and seen.now < known[1]:
        return App(name, app.org, age, known[1].timestamp(), paused=paused)
    told = standing_of(connections, name, seen)
    if told.at is None:
        return App(name, app.org, age, None, paused=paused)
    if not told.now and not told.overdue and told.code is not Why.BACKOFF:
        early[name] = (because, told.at)
    late = _late(told, seen.now) if not _under_way(row) else 0.0
    return App(name, app.org, age, told.at.timestamp(), late, told.code.value, paused)


def _late(told: Standing, now: datetime) -> float:
    """Seconds since the first chance, whatever keeps the app out since then; a second where that is not known."""
    if not told.overdue:
        return 0.0
    return max(1.0, (now - told.since).total_seconds()) if told.since is not None else 1.0


def _under_way(row: Rotation | None) -> bool:
    """Whether a rotation is open and goes well: what is due is being done."""
    return row is not None and row.state in (State.RUNNING, State.OVERLAP)


def _open(row: Rotation) -> Open:
    begun = row.started_at.timestamp() if row.started_at is not None else 0.0
    expires = begun + STAGED_LIVES.total_seconds() if row.new_key and row.retired_at is None else None
    return Open(row.app, row.org, row.state.value, row.trigger.value, row.reason, begun, expires)


def _head(signs: Vitals) -> Head | None:
    return Head(signs.seq, signs.at.timestamp()) if signs.at is not None else None
