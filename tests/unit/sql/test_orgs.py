"""What is known of orgs: pinned ids and facts."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rotator.adapters.sql.database import Database
from rotator.adapters.sql.orgs import FactSeen, Orgs
from rotator.domain.errors import ConfigError
from tests.contract.ledger_ports import CONSUMER, CONTEXT, MovedTime, open_database, outcome
from tests.unit.sql.support import started, trail_of


def test_a_name_is_pinned_at_first_contact(database: Database) -> None:
    """The first id is kept with a row in the trail; the same again adds nothing."""
    orgs = Orgs(database, CONTEXT)
    assert orgs.pinned("acme") == ""
    orgs.pin("acme", "00D1")
    orgs.pin("acme", "00D1")
    assert orgs.pinned("acme") == "00D1"
    told = [(row["org"], row["evidence"]) for row in trail_of(database).history()]
    assert told == [("acme", {"pinned_org_id": "00D1"})]


def test_another_org_behind_the_same_name_is_refused(database: Database) -> None:
    """The answer names both ids and what to do; the pin stays."""
    orgs = Orgs(database, CONTEXT)
    orgs.pin("acme", "00D1")
    with pytest.raises(ConfigError, match="00D2 now, and was 00D1") as caught:
        orgs.pin("acme", "00D2")
    assert "orgs.acme" in caught.value.fix
    assert orgs.pinned("acme") == "00D1"


def test_facts_have_a_source(url: str) -> None:
    """When and how each was seen, per org; the newest sighting counts."""
    moved = MovedTime()
    database = open_database(url, moved)
    orgs = Orgs(database, CONTEXT)
    ledger, lease, row = started(database)
    ledger.commit(lease, row, outcome("verify"), {}, learned={"staged_pair_accepted": "no"})
    moved.advance(1)
    orgs.learn(CONSUMER.org_id, {"staged_pair_accepted": "yes", "delete_propagation": "5m"}, "calibrate")
    orgs.learn("00Dother", {"staged_pair_accepted": "no"}, "calibrate")
    at = "2026-11-24T08:00:01.123456Z"
    assert orgs.seen(CONSUMER.org_id) == (
        FactSeen("delete_propagation", "5m", at, "calibrate"),
        FactSeen("staged_pair_accepted", "yes", at, "calibrate"),
    )
    assert orgs.facts(CONSUMER.org_id).yes("staged_pair_accepted")
    assert orgs.facts("00Dother").no("staged_pair_accepted")
    assert f"of rotation {row.id}" not in str(orgs.seen(CONSUMER.org_id))
    database.close()


def test_several_who_meet_an_org_at_once_pin_it_once(database: Database) -> None:
    """Eight threads: nobody fails, and one row stands in the trail."""
    orgs = Orgs(database, CONTEXT)
    gate = threading.Barrier(8)

    def meet() -> None:
        gate.wait(10)
        orgs.pin("acme", "00D1")

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(meet) for _ in range(8)]:
            done.result(20)
    assert len(list(trail_of(database).history())) == 1
