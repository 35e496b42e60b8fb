"""State rebuilt from the trail is the state that was, after any history; and puts right what was bent."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import delete, select, update

from rotator.adapters.sql import retention
from rotator.adapters.sql.audit import history
from rotator.adapters.sql.database import Database
from rotator.adapters.sql.ledger import SqlLedger
from rotator.adapters.sql.orgs import Orgs
from rotator.adapters.sql.pauses import Pauses
from rotator.adapters.sql.rebuild import rebuild, replay
from rotator.adapters.sql.tables import consumers, legal_holds, org_facts, orgs, pauses, rotations
from rotator.adapters.sql.verify import verify
from rotator.domain.errors import LeaseTaken
from rotator.domain.pause import Scope
from rotator.domain.words import Trigger
from tests.contract.ledger_ports import CONSUMER, CONTEXT, KINDS, WHO, fresh_url, intent, opening, outcome
from tests.unit.sql.histories import Histories
from tests.unit.sql.support import raw, started, trail_of

LEASE = ("owner", "epoch", "lease_until", "lease_ms")  # what a rebuild gives anew
BENT = {
    "an edited state": "UPDATE rotations SET state = 'done' WHERE state = 'running'",
    "an edited key": "UPDATE rotations SET new_key = 'theirs'",
    "a field without a column": """UPDATE rotations SET more = '{"number": 7}'""",
    "rows that are gone": "DELETE FROM rotations",
    "intents forgotten": "UPDATE consumers SET open_intents = '[]', publish_cas = -1",
    "another rotation named": "UPDATE consumers SET rotation_id = ''",
}
BESIDE = (pauses, legal_holds, orgs, org_facts)
BENT_BESIDE = {
    "pauses forgotten": "DELETE FROM pauses",
    "a pause that nobody said": "INSERT INTO pauses VALUES ('app', 'x', 'mallory', '', '2000-01-01', NULL)",
    "a pause that ends sooner": "UPDATE pauses SET until = '2100-01-01T00:00:00.000000Z'",
    "legal holds forgotten": "DELETE FROM legal_holds",
    "a legal hold of another case": "UPDATE legal_holds SET ticket = 'CHG-0'",
    "another org pinned": "UPDATE orgs SET org_id = '00D000000000666'",
    "an org that was never met": "INSERT INTO orgs VALUES ('mine', '00D000000000666', '2000-01-01')",
    "another fact": "UPDATE org_facts SET value = 'no' WHERE fact = 'created_by_given'",
    "facts forgotten": "DELETE FROM org_facts WHERE fact = 'created_by_given'",
}
STRANGE = "INSERT INTO rotations SELECT {} FROM rotations WHERE state = 'running'"


def state(database: Database) -> list[dict[str, Any]]:
    """Both tables, without the leases."""

    def work(connection: Any) -> list[dict[str, Any]]:
        found = [dict(row._mapping) for table in (rotations, consumers) for row in connection.execute(select(table))]
        return sorted(({k: v for k, v in row.items() if k not in LEASE} for row in found), key=str)

    return database.read(work)


def a_history(database: Database) -> SqlLedger:
    """A rotation that a force took over, with an intent still open; nobody at work."""
    ledger, lease, row = started(database)
    row = ledger.commit(lease, row, intent("stage"), {"posting": True})
    row = ledger.commit(lease, row, outcome("stage"), {"posting": False, "new_key": "key1"})
    force = ledger.open(lease, opening(Trigger.FORCE))
    ledger.commit(lease, force, intent("publish"), {"publish_version": 7}, publish_cas=7)
    ledger.yield_lease(lease)
    return ledger


def beside(database: Database) -> list[str]:
    """The four tables beside the rotations."""
    found = [[dict(row._mapping) for row in database.read(lambda c, t=table: list(c.execute(select(t))))]  # type: ignore[misc]
             for table in BESIDE]  # fmt: skip
    return sorted(str(row) for rows in found for row in rows)


def a_history_beside(database: Database) -> None:
    """A rotation that saw a fact, pauses and legal holds that came and went, a pin, a calibration."""
    ledger, lease, row = started(database)
    ledger.commit(lease, row, outcome("stage"), {"new_key": "key1"}, learned={"created_by_given": "yes"})
    ledger.yield_lease(lease)
    told = Pauses(database, CONTEXT)
    told.begin(Scope.APP, "orders", "acme", WHO, 3600)
    told.begin(Scope.ALL, "", "", WHO)
    told.begin(Scope.ORG, "acme", "acme", WHO)
    told.lift(Scope.ORG, "acme", "acme", WHO)
    for name, release in (("orders", False), ("billing", False), ("billing", True)):
        retention.hold(database, CONTEXT, WHO, Scope.APP, name, release=release)
    known = Orgs(database, CONTEXT)
    known.pin("acme", CONSUMER.org_id)
    known.learn(CONSUMER.org_id, {"staged_pair_accepted": "yes"}, "calibrate on X, release 65.0")


def test_what_stands_beside_the_rotations_and_was_not_bent_is_left_alone(database: Database) -> None:
    """Nothing differs, nothing is written."""
    a_history_beside(database)
    before, rows = beside(database), len(list(history(database)))
    assert (rebuild(database, CONTEXT, WHO).beside, beside(database)) == ((), before)
    assert len(before) == 6
    assert len(list(history(database))) == rows


@pytest.mark.parametrize("how", BENT_BESIDE)
def test_what_was_bent_beside_the_rotations_is_put_right(database: Database, url: str, how: str) -> None:
    """Pauses, legal holds, pins and facts are as before, and the trail names what was not."""
    a_history_beside(database)
    before = beside(database)
    raw(url, BENT_BESIDE[how])
    assert beside(database) != before, "the statement does what it says"
    told = rebuild(database, CONTEXT, WHO, dry_run=True).beside
    assert beside(database) != before
    assert (rebuild(database, CONTEXT, WHO).beside, beside(database)) == (told, before)
    assert list(history(database))[-1]["evidence"]["beside"] == list(told)
    assert rebuild(database, CONTEXT, WHO).beside == ()


def test_what_was_not_bent_is_left_alone(database: Database) -> None:
    """Nothing differs, nothing is written, not even a row in the trail."""
    a_history(database)
    before, rows = state(database), len(list(history(database)))
    done = rebuild(database, CONTEXT, WHO)
    assert (done.changed, done.removed, done.headless, done.rotations, done.rows) == ((), (), (), 2, rows)
    assert (state(database), len(list(history(database)))) == (before, rows)


@pytest.mark.parametrize("how", BENT)
def test_what_was_bent_is_put_right(database: Database, url: str, how: str) -> None:
    """Both tables are as before, a row in the trail says so, and a dry run only tells."""
    a_history(database)
    before = state(database)
    raw(url, BENT[how])
    assert state(database) != before, "the statement does what it says"
    rebuild(database, CONTEXT, WHO, dry_run=True)
    assert state(database) != before
    done = rebuild(database, CONTEXT, WHO)
    assert state(database) == before
    last = list(history(database))[-1]
    assert (last["step"], last["evidence"]["rebuilt"], last["actor"]) == ("check", len(done.changed), "alice")
    assert trail_of(database).verify_chain().ok


def test_a_rotation_that_the_trail_does_not_know_is_removed(database: Database, url: str) -> None:
    """Somebody wrote a row past us, in the place of the open one."""
    a_history(database)
    before = state(database)
    columns = ", ".join(column.name for column in rotations.c)
    raw(url, STRANGE.format(columns.replace("id,", "'strange',", 1).replace(" state,", " 'done',", 1)))
    raw(url, "UPDATE rotations SET state = 'done' WHERE state = 'running'",
        "UPDATE rotations SET state = 'running' WHERE id = 'strange'")  # fmt: skip
    assert rebuild(database, CONTEXT, WHO).removed == ("strange",)
    assert state(database) == before


def test_nothing_is_rebuilt_under_somebodys_hands(database: Database, url: str) -> None:
    """A lease runs: told to stop the daemon first, nothing changed. After it a stale worker finds a new epoch."""
    ledger = a_history(database)
    lease = ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-1", 30)
    assert lease is not None
    raw(url, BENT["an edited key"])
    with pytest.raises(LeaseTaken, match="worker-1 is at work"):
        rebuild(database, CONTEXT, WHO)
    ledger.yield_lease(lease)
    rebuild(database, CONTEXT, WHO)
    again = ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-1", 30)
    assert again is not None
    assert again.epoch == lease.epoch + 2


def test_a_rotation_without_its_opening_is_left_as_it_is(database: Database) -> None:
    """Rows before a cut (retention) are gone: what cannot be told is not guessed."""
    a_history(database)
    found = replay(list(history(database))[1:])
    assert len(found.headless) == 1
    assert [row.trigger for row in found.rotations.values()] == [Trigger.FORCE]


def tell(kind: str, request: pytest.FixtureRequest, examples: int) -> int:
    """Plays so many histories; after each what is rebuilt must be what was. Gives how many rotations there were."""
    counted = []

    def ended(database: Database) -> None:
        before = state(database)
        done = rebuild(database, CONTEXT, WHO)
        assert (done.changed, done.removed, done.headless, done.beside) == ((), (), (), ())
        there = in_force(database)
        database.write(forget)
        rebuild(database, CONTEXT, WHO)
        assert (state(database), in_force(database)) == (before, there)
        assert verify(database).ok
        counted.append(done.rotations)

    class Played(Histories):
        pass

    Played.url, Played.ended = partial(fresh, kind, request), ended
    how = settings(max_examples=examples, stateful_step_count=25, derandomize=True, database=None, deadline=None,
                   suppress_health_check=list(HealthCheck))  # fmt: skip
    run_state_machine_as_test(Played, settings=how)
    return sum(counted)


def in_force(database: Database) -> list[str]:
    """What stands beside the rotations, without the pauses that ended by themselves (`brief` ones)."""
    return [row for row in beside(database) if "'until': '" not in row]


def forget(connection: Any) -> None:
    for table in BESIDE:
        connection.execute(delete(table))
    connection.execute(delete(rotations))
    connection.execute(update(consumers).values(open_intents="[]", publish_cas=3, escrow_cas=3, rotation_id=""))


def fresh(kind: str, request: pytest.FixtureRequest) -> str:
    """A database with the tables for each history."""
    if kind == "postgres":
        return fresh_url(kind, request)
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("history")
    template: Path = request.getfixturevalue("tmp_path") / "rotator.db"
    if not template.exists():
        fresh_url("sqlite", request)
    shutil.copy(template, folder / "rotator.db")
    return f"sqlite:///{folder}/rotator.db"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_rebuilt_is_what_was_after_any_history(kind: str, request: pytest.FixtureRequest) -> None:
    """Openings, forces, commits, abandons, holds and deaths in any order: both tables come back as they were."""
    assert tell(kind, request, 30 if kind == "sqlite" else 20) > 5


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(3600)
def test_what_is_rebuilt_is_what_was_after_many_histories(kind: str, request: pytest.FixtureRequest) -> None:
    """A thousand on SQLite, three hundred on PostgreSQL."""
    assert tell(kind, request, 1000 if kind == "sqlite" else 300) > 300
