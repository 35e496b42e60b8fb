"""The sweep's rows: one sweeper per org, each news once, and what the ledger knows of an app's pairs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.outbox import Outbox
from rotator.adapters.sql.survey import survey
from rotator.adapters.sql.sweeps import Sweeps, seen
from rotator.domain.notice import Topic
from rotator.domain.sighting import MOVED, Sight, Sighting, everything
from tests.contract.ledger_ports import CONTEXT, START, MovedTime, intent, open_database, outcome
from tests.unit.sql.support import started, trail_of

FINE = Sighting("slot")
DRIFT = Sighting("slot", Sight.DRIFT, "abc:Active", "the staged slot is filled", "look")
BLIND = Sighting("slot", Sight.BLIND, "down", "could not look: down", "wait")


@pytest.fixture
def time() -> MovedTime:
    return MovedTime()


@pytest.fixture
def database(url: str, time: MovedTime) -> Iterator[Database]:
    opened = open_database(url, time)
    yield opened
    opened.close()


def test_one_of_several_daemons_sweeps_an_org(database: Database, time: MovedTime) -> None:
    """While it is at it, and for as long as was said after it came to its end; one that died is followed after its
    lease, and cannot end what it lost."""
    sweeps = Sweeps(database, CONTEXT)
    assert [sweeps.begin("acme", "one", START), sweeps.begin("acme", "two", START)] == [True, False]
    assert sweeps.begin("bolt", "two", START)
    time.advance(301)
    assert sweeps.begin("acme", "two", START)
    sweeps.end("acme", "one")
    assert survey(database).swept == {}
    sweeps.end("acme", "two")
    assert survey(database).swept == {"acme": time.now}
    assert not sweeps.begin("acme", "one", START)
    assert sweeps.begin("acme", "one", time.now)


def test_each_news_is_told_once(database: Database) -> None:
    """A drift, the same again, another one, fine again: three rows in the trail, as `drift`; a first sight that is fine
    is no news."""
    sweeps = Sweeps(database, CONTEXT)
    sweeps.begin("acme", "one", START)
    other = Sighting("slot", Sight.DRIFT, "def:Active", "another", "look")
    told = [len(sweeps.note("acme", "billing", "one", [one])) for one in (FINE, DRIFT, DRIFT, other, FINE, FINE)]
    assert told == [0, 1, 0, 1, 1, 0]
    rows = [(row["step"], row["phase"], row["outcome"], row["org"], row["app"]) for row in trail_of(database).history()]
    assert rows == [("drift", "observe", word, "acme", "billing") for word in ("failed", "failed", "ok")]
    assert database.read(seen) == {}


def test_a_quiet_look_tells_changes_alone(database: Database) -> None:
    """Worth a warning from the first look on, or never to be seen: nobody is told, and it stays so when it cannot be
    seen for a while; another picture is told, and so is that it is fine again, or that what was seen is hidden now."""
    sweeps = Sweeps(database, CONTEXT)
    sweeps.begin("acme", "one", START)
    bypass, other = (Sighting("APP-8", Sight.DRIFT, what, what, "look", quiet=True) for what in ("bypass", "other"))
    hidden, fine = Sighting("APP-8", Sight.BLIND, "unseen", "not shown", "look", quiet=True), Sighting("APP-8")

    def told(app: str, *found: Sighting) -> list[str]:
        return [one.state.value for look in found for one in sweeps.note("acme", app, "one", [look])]

    assert told("a", bypass, bypass, hidden, bypass) == []
    assert told("a", other, other, fine) == ["drift", "ok"]
    assert told("a", bypass) == ["drift"]
    assert told("b", hidden, hidden, fine) == []
    assert told("b", hidden, fine) == ["blind", "ok"]
    assert told("c", fine, bypass) == ["drift"]
    assert {app: [one.state.value for one in stands] for app, stands in database.read(seen).items()} == {
        "a": ["drift"], "c": ["drift"]}  # fmt: skip


def test_an_org_that_is_another_is_known_by_the_survey(database: Database) -> None:
    """With the id of before, for as long as the sweep sees it so."""
    sweeps = Sweeps(database, CONTEXT)
    sweeps.begin("acme", "one", START)
    sweeps.note("acme", everything("acme"), "one", [Sighting(MOVED, Sight.DRIFT, "00D-before", "another org", "look")])
    assert survey(database).moved == {"acme": "00D-before"}
    sweeps.note("acme", everything("acme"), "one", [Sighting(MOVED)])
    assert survey(database).moved == {}


def test_what_cannot_be_seen_is_told_and_forgets_no_drift(database: Database, time: MovedTime) -> None:
    """Blind after fine is news, `unknown` in the trail; blind after a drift leaves the drift where it stands, with the
    time since when."""
    sweeps = Sweeps(database, CONTEXT)
    sweeps.begin("acme", "one", START)
    assert sweeps.note("acme", "billing", "one", [BLIND]) == (BLIND,)
    assert sweeps.note("acme", "orders", "one", [DRIFT]) == (DRIFT,)
    time.advance(60)
    assert sweeps.note("acme", "orders", "one", [BLIND]) == ()
    stands = database.read(seen)
    assert {app: [(one.state, one.since) for one in told] for app, told in stands.items()} == {
        "billing": [(Sight.BLIND, START)], "orders": [(Sight.DRIFT, START)]}  # fmt: skip
    assert [row["outcome"] for row in trail_of(database).history()] == ["unknown", "failed"]


def test_a_drift_is_a_notice_and_its_end_another(database: Database) -> None:
    """Told, changed, put right: what holds is one condition of the app, and none is left."""
    sweeps = Sweeps(database, CONTEXT, lambda notice: ["ops"])
    outbox = Outbox(database, "host-1", lambda notice: ["ops"])
    sweeps.begin("acme", "one", START)
    for one, words in ((DRIFT, [DRIFT.words]), (DRIFT, [DRIFT.words]), (BLIND, [DRIFT.words]), (FINE, [])):
        sweeps.note("acme", "billing", "one", [one])
        assert [notice.message for notice in outbox.told(Topic.DRIFT)] == words
    assert [waiting.waiting for waiting in outbox.backlog()] == [2]


def test_those_that_waited_longest_are_looked_at_first(database: Database, time: MovedTime) -> None:
    """Never seen first, then by the time of the last look."""
    sweeps = Sweeps(database, CONTEXT)
    sweeps.begin("acme", "one", START)
    for app in ("b", "a"):
        sweeps.note("acme", app, "one", [FINE])
        time.advance(1)
    assert sweeps.order(["a", "b", "c"]) == ["c", "b", "a"]


def test_the_past_of_an_app_tells_its_pairs_and_a_lost_post(database: Database) -> None:
    """The key of a POST that was answered; a POST whose intent has no outcome is a lost one, by the rotation's id."""
    ledger, lease, row = started(database)
    sweeps = Sweeps(database, CONTEXT)
    assert sweeps.past("billing")[1].own == ()
    row = ledger.commit(lease, row, intent("stage"), {"posting": True})
    assert sweeps.past("billing")[1].lost_post == row.id
    ledger.commit(lease, row, outcome("stage"), {"posting": False, "new_key": "key1", "retired_at": START})
    last, past = sweeps.past("billing")
    assert last is not None
    assert (past.lost_post, past.ruling, past.author("key1") is not None, past.author("x")) == ("", "key1", True, None)
