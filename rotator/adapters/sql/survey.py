"""What a look for work needs to know, read in one snapshot: all apps at once, and few columns of old rotations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, select, text, true

from rotator.adapters.sql.database import Database, instant, moment
from rotator.adapters.sql.pauses import in_force
from rotator.adapters.sql.rows import from_row
from rotator.adapters.sql.sweeps import moved, swept
from rotator.adapters.sql.tables import BAD, OPEN, consumers, rotations
from rotator.adapters.sql.watch import Watch
from rotator.adapters.sql.watch import look as watched
from rotator.domain.pause import Pause
from rotator.domain.policy import Outage
from rotator.domain.rotation import Rotation
from rotator.domain.standing import Failures
from rotator.domain.words import Trigger

DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Survey:
    """The ledger at one moment."""

    now: datetime  # the database's clock
    open: tuple[Rotation, ...]  # oldest first
    last: Mapping[str, datetime]  # app -> when its present secret was asked for
    failures: Mapping[str, Failures]
    pauses: tuple[Pause, ...]  # in force
    taken: frozenset[tuple[str, str]]  # consumers (org id, id) under a running lease
    watch: Watch
    outage: Outage | None  # whose due times are spread
    swept: Mapping[str, datetime]  # org -> when it was last swept to the end
    moved: Mapping[str, str] = field(default_factory=dict)  # orgs that are another than before, with the id of before

    def impatient(self) -> Survey:
        """The same, as whoever takes no account of outages and failures sees it."""
        return replace(self, outage=None, failures={})


def survey(database: Database, app: str = "") -> Survey:
    """Looks once. `app`: knows the rotations of this one only, which costs the same among few apps and among many.
    Raises as every read."""

    def look(connection: Connection) -> Survey:
        now = database.now(connection)
        wanted = rotations.c.app == app if app else true()
        last, failures = _last_rotated(connection, wanted), _failures(connection, wanted)
        pauses, taken, watch = in_force(connection, now), _taken(connection, now), watched(connection)
        rows, orgs, others = _open(connection, wanted), swept(connection), moved(connection)
        return Survey(now, rows, last, failures, pauses, taken, watch, watch.outage, orgs, others)

    return database.read(look)


def _open(connection: Connection, wanted: ColumnElement[bool]) -> tuple[Rotation, ...]:
    chosen = select(rotations).where(text(OPEN), wanted)
    ordered = chosen.order_by(rotations.c.started_at, rotations.c.number, rotations.c.id)
    return tuple(from_row(row._mapping) for row in connection.execute(ordered))


def _newest(app: ColumnElement[str]) -> ScalarSelect[str]:
    """The start of this app's last rotation that retired the old pair, found by index: rotations are kept for years."""
    one = rotations.alias()
    good = select(func.max(one.c.started_at)).where(one.c.app == app, one.c.retired_at.is_not(None))
    return good.scalar_subquery()


def _last_rotated(connection: Connection, wanted: ColumnElement[bool]) -> Mapping[str, datetime]:
    """The start of each app's last rotation that retired the old pair."""
    apps = select(rotations.c.app).where(wanted).distinct().subquery()
    chosen = select(apps.c.app, _newest(apps.c.app))
    return {app: instant(started) for app, started in connection.execute(chosen) if started}


def _failures(connection: Connection, wanted: ColumnElement[bool]) -> Mapping[str, Failures]:
    """What ended `failed` or `abandoned` after the last good one; a dry run is meant to end so."""
    since = rotations.c.started_at > func.coalesce(_newest(rotations.c.app), "")
    bad = (text(BAD), rotations.c.reason != DRY_RUN, since, wanted)
    chosen = select(rotations.c.app, func.count(), func.max(rotations.c.ended_at)).where(*bad)
    found = connection.execute(chosen.group_by(rotations.c.app))
    return {app: Failures(count, instant(ended)) for app, count, ended in found if ended}


def apps_with_key(database: Database, key: str) -> tuple[tuple[str, tuple[str, str]], ...]:
    """The apps, and their consumers (org id, id), that this consumer key was ever known of."""
    known = (rotations.c.new_key == key) | rotations.c.old_keys.contains(f'"{key}"', autoescape=True)
    chosen = select(rotations.c.app, rotations.c.org_id, rotations.c.consumer_id).where(known).distinct()
    found = database.read(lambda connection: connection.execute(chosen).all())
    return tuple((app, (org_id, consumer_id)) for app, org_id, consumer_id in found)


def last_forced(database: Database) -> Mapping[str, Rotation]:
    """The newest forced rotation of each app that saw its old pair refused."""
    mine = (rotations.c.trigger == Trigger.FORCE.value, rotations.c.refused_at.is_not(None))
    chosen = select(rotations).where(*mine).order_by(rotations.c.started_at)
    return database.read(lambda connection: {row.app: from_row(row._mapping) for row in connection.execute(chosen)})


def forced_since(database: Database, since: datetime) -> tuple[Rotation, ...]:
    """The forced rotations that began after this, oldest first."""
    mine = (rotations.c.trigger == Trigger.FORCE.value, rotations.c.started_at >= moment(since))
    chosen = select(rotations).where(*mine).order_by(rotations.c.started_at)
    return database.read(lambda connection: tuple(from_row(row._mapping) for row in connection.execute(chosen)))


def run_as_by_app(database: Database) -> Mapping[str, str]:
    """The user as whom each app's pair logged in last, by the rows of its rotations."""
    chosen = select(rotations.c.app, rotations.c.run_as, func.max(rotations.c.started_at).label("at"))
    last = chosen.where(rotations.c.run_as != "").group_by(rotations.c.app, rotations.c.run_as).order_by(text("at"))
    return database.read(lambda connection: {app: user for app, user, _ in connection.execute(last)})


def _taken(connection: Connection, now: datetime) -> frozenset[tuple[str, str]]:
    running = (consumers.c.owner != "") & (consumers.c.lease_until > moment(now))
    chosen = select(consumers.c.org_id, consumers.c.consumer_id).where(running)
    return frozenset((org_id, consumer_id) for org_id, consumer_id in connection.execute(chosen))
