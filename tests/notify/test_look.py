"""What is found beside the rotations: overdue apps, a database that does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from rotator import config
from rotator.adapters.sql import schema
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.daemon.mailroom import DOWN, STILL_DOWN, Watch
from rotator.domain.errors import LedgerUnavailable
from rotator.domain.event import Event
from rotator.domain.notice import Notice, Status, Topic
from rotator.domain.words import Outcome, Phase, State
from rotator.process import Stop, SystemClock
from rotator.wiring import notices
from rotator.wiring.connections import Connections
from tests.contract.ledger_ports import CONTEXT, MovedTime, claim, open_database, opening
from tests.notify.receivers import Receiver
from tests.servers.network import Tls
from tests.unit.config.given import APP, ORG, VAULT, write

EVERY = 'schedule = { every = "30d", jitter = "0s" }\n'


class Breakable(Connections):
    """Connections whose database can be taken away."""

    down = False

    @property
    def database(self) -> Database:
        if self.down:
            raise LedgerUnavailable("the database does not answer", fix="bring it back")
        return self.bare_database


@pytest.fixture
def here(tmp_path: Path, web: Receiver, tls: Tls) -> Iterator[Breakable]:
    """One app, rotated 60 days ago, due every 30; a webhook that is told."""
    url = tmp_path / "u"
    url.write_text(web.url + "/in")
    url.chmod(0o600)
    channel = f'[[notify]]\nkind = "webhook"\nurl_file = "u"\nca_file = "{tls.ca_file}"\n'
    database = f'state_dir = "{tmp_path}"\n[database]\nurl = "sqlite:///{tmp_path}/r.db"\n'
    text = database + VAULT + ORG + APP + EVERY + channel
    stop = Stop()
    with closing(Breakable(config.load(write(tmp_path, text), {}), SystemClock(stop), host="h", version="1")) as made:
        schema.prepare(made.bare_database)
        rotated(made, days=60)
        yield made
    stop.close()


def rotated(here: Connections, days: float) -> None:
    """The app is rotated, so many days ago."""
    past = MovedTime()
    past.now = here.bare_database.read(here.bare_database.now) - timedelta(days=days)
    with closing(open_database(here.config.database.url, past)) as database:
        ledger = SqlLedger(database, CONTEXT)
        lease = claim(ledger)
        row = ledger.open(lease, opening())
        event = Event("close", Phase.OBSERVE, Outcome.OK)
        ledger.commit(lease, row, event, {"state": State.DONE, "retired_at": past(), "ended_at": past()})
        ledger.yield_lease(lease)


def said(here: Connections, web: Receiver) -> list[tuple[str, str]]:
    """What the webhook was told since the last call."""
    notices.flush(here, here.clock, lambda: False)
    told = [json.loads(one.body) for one in web.heard]
    web.heard.clear()
    return [(one["event"], one["status"]) for one in told]


def test_an_overdue_app_is_told_once_and_again_only_when_it_was_rotated(here: Breakable, web: Receiver) -> None:
    """Three looks: one notice, with why and how old. Rotated: it is over."""
    for _ in range(3):
        notices.look(here)
    (alarm,) = here.outbox.told(Topic.OVERDUE)
    assert "its secret is 60 days old" in alarm.message
    assert said(here, web) == [("overdue", "firing")]
    rotated(here, days=0)
    notices.look(here)
    assert said(here, web) == [("overdue", "resolved")]


def test_an_app_that_is_about_to_be_rotated_is_nobodys_news(here: Breakable, web: Receiver) -> None:
    """Due since ten minutes: the daemon is at it. Only after an hour a human is told."""
    rotated(here, days=30 + 10 / 1440)
    notices.look(here)
    assert said(here, web) == []


def test_a_database_that_is_down_is_told_directly_once_an_hour(here: Breakable, web: Receiver) -> None:
    """Nothing for two minutes; then once, and once an hour; back again: it is over. The outbox sees none of it."""
    time = [0.0]
    watch = Watch(here, lambda: time[0])
    watch.beat()
    said(here, web)
    here.down = True
    for step in (1.0, DOWN / 2):
        time[0] += step
        watch.beat()
    assert web.heard == []
    for step in (DOWN / 2, 20.0, 20.0):
        time[0] += step
        watch.beat()
    assert [(json.loads(one.body)["event"], json.loads(one.body)["key"]) for one in web.heard] == [
        ("failing", "daemon/h/failing")
    ]
    time[0] += STILL_DOWN
    watch.beat()
    assert len(web.heard) == 2
    here.down = False
    watch.beat()
    assert [json.loads(one.body)["status"] for one in web.heard] == ["firing", "firing", "resolved"]
    assert here.outbox.told(Topic.FAILING) == []


def test_what_was_told_of_an_app_ends_when_it_leaves_the_configuration(here: Breakable, web: Receiver) -> None:
    """Nobody is reminded for ever of an app that is gone."""
    stranger = Notice(Topic.FAILED, Status.FIRING, "app/gone/failed", app="gone", org="acme")
    here.outbox.tell([stranger])
    notices.look(here)
    assert ("failed", "resolved") in said(here, web)
