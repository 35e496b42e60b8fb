"""What every implementation of ports.Ledger must do about leases (protocol invariant 8)."""

from __future__ import annotations

import pytest

from rotator.domain.errors import Stale
from rotator.domain.words import Trigger
from rotator.ports import Ledger
from tests.contract.ledger_ports import BENCHES, CONSUMER, LEDGERS, Bench, claim, intent, opening, outcome, row_of


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return LEDGERS[request.param](request)


@pytest.fixture
def ledger(bench: Bench) -> Ledger:
    return bench.ledger


def test_a_lease_has_one_owner_at_a_time(ledger: Ledger) -> None:
    """While the lease runs, nobody else gets it."""
    first = claim(ledger, "worker-1")
    assert ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-2", 30) is None
    assert (first.org_id, first.consumer_id, first.owner) == (CONSUMER.org_id, CONSUMER.consumer_id, "worker-1")


def test_an_expired_lease_goes_to_the_next_and_the_first_is_stale(bench: Bench) -> None:
    """After the lease ran out another takes it; the first changes nothing more, by any method (invariant 8)."""
    ledger = bench.ledger
    first = claim(ledger, "worker-1", 30)
    row = ledger.open(first, opening())
    bench.advance(31)
    second = claim(ledger, "worker-2")
    assert second.epoch > first.epoch
    with pytest.raises(Stale):
        ledger.extend(first, 30)
    with pytest.raises(Stale):
        ledger.commit(first, row, intent("stage"), {})
    with pytest.raises(Stale):
        ledger.commit(first, row, outcome("stage"), {"step": "stage"})
    with pytest.raises(Stale):
        ledger.open(first, opening(Trigger.FORCE))
    assert ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).unknown == ()
    assert row_of(ledger) == row


def test_an_own_lease_is_taken_again_with_a_new_epoch(ledger: Ledger) -> None:
    """The same owner may claim again, as after a restart; what it held before is stale."""
    first = claim(ledger)
    second = claim(ledger)
    assert second.epoch > first.epoch
    with pytest.raises(Stale):
        ledger.extend(first, 30)


def test_an_expired_lease_that_nobody_took_is_still_ours(bench: Bench) -> None:
    """The epoch decides, not the clock: a slow worker that was not replaced goes on."""
    lease = claim(bench.ledger, seconds=30)
    bench.advance(60)
    row = bench.ledger.open(lease, opening())
    assert bench.ledger.commit(lease, row, intent("stage"), {"posting": True}).posting


def test_a_heartbeat_extends_the_lease(bench: Bench) -> None:
    """An extended lease is not free when the first one would have run out."""
    lease = claim(bench.ledger, "worker-1", 30)
    bench.advance(20)
    bench.ledger.extend(lease, 30)
    bench.advance(20)
    assert bench.ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-2", 30) is None


def test_a_lease_given_back_is_free_at_once(ledger: Ledger) -> None:
    """Another gets it without waiting, and giving it back twice harms nobody."""
    first = claim(ledger, "worker-1")
    ledger.yield_lease(first)
    second = claim(ledger, "worker-2")
    ledger.yield_lease(first)
    ledger.extend(second, 30)
    assert ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-1", 30) is None


def test_a_worker_that_gave_its_lease_back_commits_nothing(ledger: Ledger) -> None:
    """Giving back is final."""
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    ledger.yield_lease(lease)
    with pytest.raises(Stale):
        ledger.commit(lease, row, intent("stage"), {})


def test_a_commit_extends_the_lease(bench: Bench) -> None:
    """A worker that commits is alive: its lease starts anew, by its own length."""
    ledger = bench.ledger
    lease = claim(ledger, "worker-1", 30)
    row = ledger.open(lease, opening())
    bench.advance(20)
    ledger.commit(lease, row, outcome("stage"), {})
    bench.advance(20)
    assert ledger.claim(CONSUMER.org_id, CONSUMER.consumer_id, "worker-2", 30) is None
