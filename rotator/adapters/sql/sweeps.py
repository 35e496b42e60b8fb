"""The sweep's rows: which org was swept when and by whom; what was seen of each app; its pairs by the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from rotator.adapters.sql.adoptions import last_taken
from rotator.adapters.sql.alarms import follow
from rotator.adapters.sql.audit import Context, Subject, append, seq_of
from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.rows import from_row
from rotator.adapters.sql.switches import last_turned
from rotator.adapters.sql.tables import consumers, rotations, sightings, sweeps
from rotator.domain.event import Event
from rotator.domain.notice import Notice, Routes, Status, Topic, app_key, nobody
from rotator.domain.rotation import Rotation, Who
from rotator.domain.sighting import MOVED, Own, Past, Sight, Sighting, everything
from rotator.domain.words import Outcome, Phase

LEASE = timedelta(minutes=5)  # one app takes seconds
OUTCOMES = {Sight.OK: Outcome.OK, Sight.DRIFT: Outcome.FAILED, Sight.BLIND: Outcome.UNKNOWN}


def swept(connection: Connection) -> Mapping[str, datetime]:
    """When each org was last swept to the end."""
    found = connection.execute(select(sweeps.c.org, sweeps.c.swept_at).where(sweeps.c.swept_at.is_not(None)))
    return {org: instant(at) for org, at in found}


def seen(connection: Connection) -> Mapping[str, tuple[Sighting, ...]]:
    """What is not as it should be, or could not be seen, by app."""
    told: dict[str, tuple[Sighting, ...]] = {}
    for row in connection.execute(select(sightings).where(sightings.c.state != Sight.OK).order_by(sightings.c.look)):
        one = Sighting(row.look, Sight(row.state), row.what, row.words, row.fix, instant(row.since))
        told[row.app] = (*told.get(row.app, ()), one)
    return told


class Sweeps:
    """The sweeps of one database. `context` stands in the trail, `routes` says who is told of a drift."""

    def __init__(self, database: Database, context: Context, routes: Routes = nobody) -> None:
        self.database, self.context, self.routes = database, context, routes

    def begin(self, org: str, owner: str, since: datetime) -> bool:
        """Takes the org in hand; false where somebody is at it, or swept it after `since`."""

        def work(connection: Connection) -> bool:
            now = self.database.now(connection)
            _insert(connection, sweeps, {"org": org, "owner": ""}, ["org"], {"org": org})
            row = connection.execute(select(sweeps).where(sweeps.c.org == org).with_for_update()).one()
            taken = row.owner not in ("", owner) and instant(row.lease_until) > now
            if taken or (row.swept_at is not None and since < instant(row.swept_at) <= now):
                return False
            self._keep(connection, org, owner=owner, lease_until=moment(now + LEASE))
            return True

        return self.database.write(work)

    def end(self, org: str, owner: str) -> None:
        """It was swept to the end; nothing where another took it over."""

        def work(connection: Connection) -> None:
            row = connection.execute(select(sweeps).where(sweeps.c.org == org).with_for_update()).one()
            if row.owner == owner:
                now = moment(self.database.now(connection))
                self._keep(connection, org, owner="", lease_until=None, swept_at=now)

        self.database.write(work)

    def order(self, apps: Iterable[str]) -> list[str]:
        """The apps, those first that were not looked at for the longest time."""
        chosen = select(sightings.c.app, sightings.c.seen_at)
        at = self.database.read(lambda connection: {app: when for app, when in connection.execute(chosen)})
        return sorted(apps, key=lambda app: (at.get(app, ""), app))

    def past(self, app: str) -> tuple[Rotation | None, Past]:
        """The app's last rotation, and what the ledger knows of its pairs and its switch."""
        newest = rotations.c.started_at.desc(), rotations.c.number.desc()
        whole = select(rotations).where(rotations.c.app == app).order_by(*newest).limit(1)
        some = select(rotations.c.id, rotations.c.new_key, rotations.c.state, rotations.c.retired_at)
        known = some.where(rotations.c.app == app, rotations.c.new_key != "").order_by(*newest)

        def work(connection: Connection) -> tuple[Rotation | None, Past]:
            row = connection.execute(whole).first()
            own = tuple(Own(key, id_, state, instant(retired) if retired else None)
                        for id_, key, state, retired in connection.execute(known))  # fmt: skip
            last = None if row is None else from_row(row._mapping)
            lost = last.id if last is not None and (last.posting or "stage" in _intents(connection, last)) else ""
            return last, Past(own, lost, last_turned(connection, [app]), last_taken(connection, app))

        return self.database.read(work)

    def note(self, org: str, app: str, owner: str, found: Sequence[Sighting]) -> tuple[Sighting, ...]:
        """Writes down what was seen, with a row in the trail for each that is news; gives those. A drift that cannot be
        seen any more is a drift still. Keeps the org in hand."""
        events = {one.look: _event(one) for one in found}

        def work(connection: Connection) -> tuple[Sighting, ...]:
            told = tuple(one for one in found if seq_of(connection, events[one.look].id) is not None)
            if told:
                return told  # our own earlier run
            now = self.database.now(connection)
            self._keep(connection, org, owner=owner, lease_until=moment(now + LEASE))
            rows = connection.execute(select(sightings).where(sightings.c.app == app).with_for_update())
            before = {row.look: row for row in rows}
            seen = tuple(_against(one, before.get(one.look)) for one in found)
            news = tuple(one for one in seen if _is_news(one, before.get(one.look)))
            for one in seen:
                self._save(connection, app, one, before.get(one.look), now)
            notices = [notice for one in news for notice in _notices(org, app, one, before.get(one.look))]
            follow(connection, now, self.context.host, notices, self.routes)
            for one in news:
                append(connection, now, self.context, Who("rotator", "daemon"), Subject(org=org, app=app),
                       events[one.look])  # fmt: skip
            return news

        return self.database.write(work)

    def _save(self, connection: Connection, app: str, one: Sighting, before: Any, now: datetime) -> None:
        values = {"seen_at": moment(now)}
        if before is None or _is_other(one, before):
            values |= {"state": one.state.value, "what": one.what, "words": one.words, "fix": one.fix,
                       "since": moment(now)}  # fmt: skip
        keys = {"app": app, "look": one.look}
        whole = {"state": one.state.value, "what": "", "words": "", "fix": "", "since": moment(now), **values}
        _insert(connection, sightings, {**keys, **whole}, ["app", "look"], values)

    def _keep(self, connection: Connection, org: str, **values: object) -> None:
        connection.execute(sweeps.update().where(sweeps.c.org == org).values(**values))


def moved(connection: Connection) -> Mapping[str, str]:
    """The orgs that were another when they were last looked at, each with the id that it had before."""
    others = (sightings.c.look == MOVED) & (sightings.c.state == Sight.DRIFT)
    chosen = select(sightings.c.app, sightings.c.what).where(others)
    return {place.removesuffix(everything("")): what for place, what in connection.execute(chosen)}


def _against(one: Sighting, before: Any) -> Sighting:
    return one.against("", "") if before is None else one.against(before.state, before.what)


def _is_news(one: Sighting, before: Any) -> bool:
    was = Sight.OK if before is None else before.state
    return not (one.state is Sight.OK and was == Sight.OK) and (before is None or _is_other(one, before))


def _is_other(one: Sighting, before: Any) -> bool:
    """A drift that cannot be seen any more is one still."""
    if one.state is Sight.BLIND and before.state == Sight.DRIFT:
        return False
    return bool((one.state.value, one.what) != (before.state, before.what))


def _notices(org: str, app: str, one: Sighting, before: Any) -> Iterator[Notice]:
    """A drift that is over, and one that is there: another picture is another drift."""
    key = f"{app_key(app, Topic.DRIFT)}/{one.look}"
    if before is not None and before.state == Sight.DRIFT:
        yield Notice(Topic.DRIFT, Status.RESOLVED, key, "as it should be, or another one", app=app, org=org)
    if one.state is Sight.DRIFT:
        yield Notice(Topic.DRIFT, Status.FIRING, key, one.words, one.fix, "drift", app=app, org=org)


def _event(one: Sighting) -> Event:
    evidence = {"look": one.look, "what": one.what, "words": one.words}
    return Event("drift", Phase.OBSERVE, OUTCOMES[one.state], error=one.words, evidence=evidence)


def _intents(connection: Connection, row: Rotation) -> list[str]:
    named = (consumers.c.org_id == row.consumer.org_id) & (consumers.c.consumer_id == row.consumer.consumer_id)
    found = connection.execute(select(consumers.c.open_intents).where(named)).scalar()
    return list(json.loads(found)) if found else []


def _insert(connection: Connection, table: Any, values: Mapping[str, object], keys: list[str],
            update: Mapping[str, object]) -> None:
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = make(table).values(**values)
    connection.execute(added.on_conflict_do_update(index_elements=keys, set_=dict(update)))
