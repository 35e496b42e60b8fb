"""The fleet, read from a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rotator.adapters.sql.rows import to_row
from rotator.adapters.sql.sweeps import Sweeps
from rotator.adapters.sql.tables import consumers, rotations
from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Rotation
from rotator.domain.sighting import MOVED, Sight, Sighting, everything
from rotator.domain.words import State
from rotator.metrics.fleet import App, Drift
from rotator.metrics.meters import Meters
from rotator.process import Stop, SystemClock
from rotator.wiring.connections import Connections
from rotator.wiring.gauges import Early, fleet
from rotator.wiring.measuring import Page
from tests.contract.ledger_ports import KINDS, fresh_url
from tests.unit.config.given import loaded
from tests.unit.daemon.test_board import Time
from tests.unit.daemon.test_gate import Clock

DAY = timedelta(days=1)
APP = """
[apps.{0}]
org = "acme"
app = "{0}"
vault_path = "acme/{0}"
schedule = {{ every = "30d", jitter = "0s" }}
{1}
"""


@pytest.fixture(params=KINDS)
def connections(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connections]:
    """Five apps over SQLite, then PostgreSQL."""
    apps = "".join(APP.format(name, more) for name, more in (
        ("fresh", ""), ("late", ""), ("held", ""), ("off", "enabled = false"), ("tried", "")))  # fmt: skip
    told = loaded(tmp_path, f'[database]\nurl = "{fresh_url(request.param, request)}"\n{apps}')
    stop = Stop()
    made = Connections(told, SystemClock(stop), host="here", version="1.2.3")
    yield made
    made.close()
    stop.close()


def test_what_the_sweep_saw_is_told_by_app_and_by_org(connections: Connections) -> None:
    """A drift, and what could not be seen; of the whole org without an app; nothing of what is not configured."""
    sweeps = Sweeps(connections.database, connections.context)
    sweeps.begin("acme", "one", connections.now())
    for place, one in (("late", Sighting("keys", Sight.DRIFT, "x")), ("held", Sighting("slot", Sight.BLIND, "x")),
                       (everything("acme"), Sighting(MOVED, Sight.DRIFT, "x")), ("gone", Sighting("keys", Sight.DRIFT)),
                       ("fresh", Sighting("keys"))):  # fmt: skip
        sweeps.note("acme", place, "one", [one])
    assert set(fleet(connections, {}).drift) == {
        Drift("late", "acme", "keys", "drift"), Drift("held", "acme", "slot", "blind"),
        Drift("", "acme", "ORG-2", "drift"),
    }  # fmt: skip


def put(connections: Connections, app: str, days: float, state: State, *, number: int = 1, **more: object) -> None:
    """A rotation of this app that began so many days ago."""
    consumer = Consumer("00D000000000000AAA", "0xI000000000000AAA", f"888{app:0>12}AAA")
    began = connections.now() - days * DAY
    ends = {"ended_at": began, "retired_at": began} if state is State.DONE else {}
    row = Rotation(f"{app}-{number}", app, "acme", consumer, Target(f"acme/{app}", "k", "s", "https://h", app),
                   number=number, state=state, started_at=began, **{**ends, **more})  # type: ignore[arg-type]  # fields
    lease = {"owner": "", "epoch": 0, "lease_ms": 0, "rotation_id": row.id, "open_intents": "[]", "publish_cas": -1,
             "escrow_cas": -1, "org_id": consumer.org_id, "consumer_id": consumer.consumer_id}  # fmt: skip
    if number == 1:
        connections.database.write(lambda c: c.execute(consumers.insert(), [lease]))
    connections.database.write(lambda c: c.execute(rotations.insert(), [to_row(row)]))


def test_each_app_is_told_as_the_ledger_has_it(connections: Connections) -> None:
    """One in time, one late by ten days, one by five that failed just now and is left alone, one held with its slot's
    end, one switched off."""
    put(connections, "fresh", 10, State.DONE)
    put(connections, "late", 40, State.DONE)
    put(connections, "tried", 35, State.DONE)
    put(connections, "tried", 0, State.FAILED, number=2, ended_at=connections.now())
    put(connections, "held", 2, State.HELD, new_key="k", reason="foreign_primary")
    found = fleet(connections, {})
    apps = {app.name: app for app in found.apps}
    age = apps["fresh"].age or 0.0  # a slow machine looks later: what is left of the thirty days is less by as much
    assert round((apps["fresh"].due_at or 0) - found.now + age) == 30 * 86400
    assert (apps["fresh"].overdue, round(age / 86400)) == (0, 10)
    assert (round(apps["late"].overdue / 86400), apps["late"].why) == (10, "interval")
    assert (round(apps["tried"].overdue / 86400), apps["tried"].why) == (5, "backoff")
    assert apps["off"] == App("off", "acme", None, None)
    (held,) = found.open
    assert (held.app, held.state, held.reason) == ("held", "held", "foreign_primary")
    assert round((held.slot_expires or 0) - found.now) == 28 * 86400
    assert (found.version, found.config_hash, found.head) == ("1.2.3", connections.loaded.hash, None)


def test_what_is_remembered_gives_the_same_page(connections: Connections) -> None:
    """The second look reckons no schedule anew, and says the same; a new rotation is seen at once."""
    put(connections, "fresh", 10, State.DONE)
    early: Early = {}
    first = {app.name: app.due_at for app in fleet(connections, early).apps}
    assert set(early) == {"fresh"}
    assert {app.name: app.due_at for app in fleet(connections, early).apps}["fresh"] == first["fresh"]
    because, at = early["fresh"]
    early["fresh"] = (because, at + DAY)  # what is remembered is what is told
    assert {app.name: app.due_at for app in fleet(connections, early).apps}["fresh"] == (at + DAY).timestamp()
    connections.database.write(lambda c: c.execute(rotations.update().values(
        started_at=f"{connections.now() - DAY:%Y-%m-%dT%H:%M:%S.%fZ}")))  # fmt: skip
    again = next(app for app in fleet(connections, early).apps if app.name == "fresh")
    assert round(((again.due_at or 0) - (first["fresh"] or 0)) / 86400) == 9


def test_a_database_that_is_gone_is_told_on_the_page(tmp_path: Path) -> None:
    """The scrape succeeds, and says that the database is down."""
    told = loaded(tmp_path, '[database]\nurl = "postgresql+psycopg://nobody@127.0.0.1:1/none"\n')
    made = Connections(told, Clock(Time()), host="here", version="1")
    text = Page(Meters(made.clock.monotonic)).render(made)[0].decode()
    made.close()
    assert "rotator_database_up 0.0" in text
    assert "rotator_apps{" not in text
