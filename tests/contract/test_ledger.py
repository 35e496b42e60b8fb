"""What every implementation of ports.Ledger must do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rotator.domain.changes import Changes
from rotator.domain.errors import Refused, Superseded
from rotator.domain.event import Event
from rotator.domain.rotation import Who
from rotator.domain.words import Claim, Goal, Outcome, Phase, State, Trigger, Word
from rotator.ports import Ledger
from tests.contract.ledger_ports import BENCHES, CONSUMER, LEDGERS, WHO, Bench, claim, intent, opening, outcome, row_of


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return LEDGERS[request.param](request)


@pytest.fixture
def ledger(bench: Bench) -> Ledger:
    return bench.ledger


def test_nothing_is_known_of_a_consumer_before_its_first_rotation(ledger: Ledger) -> None:
    """No row, no open intent, no version that a late write could hit."""
    record = ledger.read(CONSUMER.org_id, CONSUMER.consumer_id)
    assert (record.rotation, record.unknown, record.publish_cas, record.escrow_cas) == (None, (), -1, -1)


def test_an_opened_rotation_is_what_a_read_gives(bench: Bench) -> None:
    """The row holds the frozen copy of what the request and the configuration said."""
    row = bench.ledger.open(claim(bench.ledger), opening())
    assert row_of(bench.ledger) == row
    assert (row.state, row.goal, row.old_keys, row.old_version) == (State.RUNNING, Goal.ROTATE, ("key0",), 7)
    assert (row.consumer, row.who, row.number, row.parent_id) == (CONSUMER, WHO, 1, "")
    assert row.started_at == bench.now()
    assert bench.ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).now == bench.now()


def test_a_second_request_gives_the_open_rotation_back(ledger: Ledger) -> None:
    """A routine request while one is open is a resume; the trigger never changes."""
    lease = claim(ledger)
    row = ledger.open(lease, opening(Trigger.SCHEDULED))
    assert ledger.open(lease, opening(Trigger.MANUAL, old="other")) == row


def test_a_force_takes_over_what_the_open_rotation_knew(ledger: Ledger) -> None:
    """The parent ends as superseded; every pair known at the decision is an old pair of the force."""
    lease = claim(ledger)
    parent = ledger.open(lease, opening())
    ledger.commit(lease, parent, outcome("stage"), {"new_key": "key1"})
    force = ledger.open(lease, opening(Trigger.FORCE, old="key2"))
    assert (force.parent_id, force.parent_new, force.old_keys) == (parent.id, "key1", ("key2", "key0", "key1"))
    assert (force.leftover, force.number, force.new_key) == ("", 2, "")
    ended = next(row for row in ledger.rotations(open_only=False) if row.id == parent.id)
    assert (ended.state, ended.reason) == (State.ABANDONED, "superseded")
    assert ended.ended_at is not None
    assert [row.id for row in ledger.rotations()] == [force.id]


@pytest.mark.parametrize("phase", list(Phase))
def test_a_force_wins_over_whatever_the_old_worker_had_in_hand(ledger: Ledger, phase: Phase) -> None:
    """No commit of a rotation that was superseded since the look."""
    lease = claim(ledger)
    seen = ledger.open(lease, opening())
    force = ledger.open(lease, opening(Trigger.FORCE))
    with pytest.raises(Superseded):
        ledger.commit(lease, seen, Event("stage", phase), {})
    assert row_of(ledger) == force


def test_the_old_pair_of_the_last_closed_rotation_is_remembered(ledger: Ledger) -> None:
    """It may still stand in the slot: `clear` is allowed to delete it, and nothing else."""
    lease = claim(ledger)
    first = ledger.open(lease, opening(old="key0"))
    ledger.commit(lease, first, outcome("close"), {"state": State.DONE, "new_key": "key1"})
    second = ledger.open(lease, opening(old="key1"))
    assert (second.leftover, second.parent_id, second.number) == ("key0", "", 2)


def test_an_intent_stays_open_until_an_outcome(ledger: Ledger) -> None:
    """Observations and decisions leave it open; an outcome closes all; order is kept."""
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    row = ledger.commit(lease, row, intent("escrow"), {})
    row = ledger.commit(lease, row, intent("publish"), {})
    row = ledger.commit(lease, row, Event("read", Phase.OBSERVE), {})
    row = ledger.commit(lease, row, Event("drift", Phase.DECISION), {})
    assert ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).unknown == ("escrow", "publish")
    ledger.commit(lease, row, outcome("settle", Outcome.UNKNOWN), {})
    assert ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).unknown == ()


def test_an_open_intent_outlives_its_rotation(ledger: Ledger) -> None:
    """A force sees what the superseded rotation left unknown."""
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    ledger.commit(lease, row, intent("stage"), {"posting": True})
    ledger.open(lease, opening(Trigger.FORCE))
    assert ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).unknown == ("stage",)


def test_the_versions_that_late_writes_could_hit_outlive_their_rotation(ledger: Ledger) -> None:
    """The fence needs the latest intent to write live or escrow, of whatever rotation."""
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    row = ledger.commit(lease, row, intent("publish"), {}, publish_cas=7)
    row = ledger.commit(lease, row, intent("escrow"), {}, escrow_cas=0)
    row = ledger.commit(lease, row, outcome("escrow"), {})
    ledger.open(lease, opening(Trigger.FORCE))
    record = ledger.read(CONSUMER.org_id, CONSUMER.consumer_id)
    assert (record.publish_cas, record.escrow_cas) == (7, 0)


def test_what_was_learned_of_the_org_stays(ledger: Ledger) -> None:
    """A fact seen in one rotation is known in the next; the newest sighting counts."""
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    row = ledger.commit(lease, row, outcome("verify"), {}, learned={"staged_pair_accepted": "no"})
    ledger.commit(lease, row, outcome("verify"), {}, learned={"staged_pair_accepted": "yes"})
    assert ledger.read(CONSUMER.org_id, CONSUMER.consumer_id).facts.yes("staged_pair_accepted")


def test_every_field_of_a_row_survives(bench: Bench) -> None:
    """What a commit gives back is what a read gives, for every kind of value."""
    ledger, at = bench.ledger, bench.now()
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    row = ledger.commit(
        lease,
        row,
        outcome("prove"),
        {
            "state": State.OVERLAP, "step": "prove", "reason": "r", "message": "Grüße 'x\"; DROP TABLE rotations; --",
            "new_key": "key1", "posting": True, "promoting": True, "publish_version": 7, "published_version": 8,
            "discards": 2, "canary": "jwt", "compared": "key1", "verified": "key1", "run_as": "005", "revoked": 3,
            "overlap_until": at + timedelta(hours=24, microseconds=1), "overlap_ended": True, "listing_blind": True,
            "settle_until": at, "verify_until": at, "verified_from": at, "retired_at": at, "refused_at": at,
            "refusals": 2, "last_refusal": at, "proof_tries": 4, "proven": True, "next_at": at, "tries": 5,
            "claims": {"slot": Claim.PROVEN, "tokens": Claim.UNKNOWN}, "switch": "blocked", "logins": 9,
            "failing_since": at, "refused_calls": 1, "fix": "f", "abandon_until": at,
        },
    )  # fmt: skip
    assert row_of(ledger) == row
    assert row.overlap_until == at + timedelta(hours=24, microseconds=1)
    assert row.claims == {"slot": Claim.PROVEN, "tokens": Claim.UNKNOWN}
    row = ledger.commit(lease, row, outcome("prove"), {"next_at": None, "posting": False, "claims": {}})
    assert row_of(ledger) == row
    assert (row.next_at, row.posting, row.claims, row.promoting) == (None, False, {}, True)


def test_an_abandon_wins_over_the_next_intent_and_not_over_an_outcome(ledger: Ledger) -> None:
    """An intent seen under the old goal is refused; the outcome of what was sent already is recorded."""
    lease = claim(ledger)
    seen = ledger.commit(lease, ledger.open(lease, opening()), intent("stage"), {"posting": True})
    asked = ledger.ask_abandon(seen.id, Who("bob"))
    assert asked.goal is Goal.ABANDON
    with pytest.raises(Superseded):
        ledger.commit(lease, seen, intent("escrow"), {})
    after = ledger.commit(lease, seen, outcome("stage"), {"new_key": "key1"})
    assert (after.goal, after.new_key, after.who) == (Goal.ABANDON, "key1", WHO)
    assert ledger.commit(lease, after, intent("discard"), {}).goal is Goal.ABANDON


def test_a_promote_intent_and_an_abandon_exclude_each_other(ledger: Ledger) -> None:
    """After the promote intent an abandon is refused; after the abandon the promote intent is."""
    lease = claim(ledger)
    seen = ledger.open(lease, opening())
    promoting = ledger.commit(lease, seen, intent("promote"), {"promoting": True})
    with pytest.raises(Refused):
        ledger.ask_abandon(seen.id, WHO)
    assert row_of(ledger) == promoting
    done = ledger.commit(lease, promoting, outcome("close"), {"state": State.DONE})
    second = ledger.open(lease, opening())
    ledger.ask_abandon(second.id, WHO)
    with pytest.raises(Superseded):
        ledger.commit(lease, second, intent("promote"), {"promoting": True})
    assert (row_of(ledger).promoting, done.state) == (False, State.DONE)


def test_an_abandon_asked_twice_changes_nothing_but_its_haste(ledger: Ledger) -> None:
    """The second time may only say `now`."""
    row = ledger.open(claim(ledger), opening())
    first = ledger.ask_abandon(row.id, WHO)
    assert ledger.ask_abandon(row.id, WHO) == first
    assert ledger.ask_abandon(row.id, WHO, now=True).abandon_now
    assert ledger.ask_abandon(row.id, WHO).abandon_now


def test_an_ended_rotation_and_a_forced_one_are_not_abandoned(ledger: Ledger) -> None:
    """Both are refused, and stay as they are."""
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    ended = ledger.commit(lease, row, outcome("close"), {"state": State.DONE})
    with pytest.raises(Refused):
        ledger.ask_abandon(ended.id, WHO)
    force = ledger.open(lease, opening(Trigger.FORCE))
    with pytest.raises(Refused):
        ledger.ask_abandon(force.id, WHO)
    assert row_of(ledger) == force


def test_a_released_rotation_goes_on_with_fresh_counters(ledger: Ledger) -> None:
    """Running, released, no failures counted, and the pair that a person named for discarding."""
    lease = claim(ledger)
    row = ledger.open(lease, opening())
    held = outcome("hold", Outcome.HELD)
    row = ledger.commit(lease, row, held, {"state": State.HELD, "tries": 3, "refused_calls": 2})
    free = ledger.release(row.id, WHO, discard_foreign="0123456789abcdef")
    assert (free.state, free.released, free.tries, free.refused_calls) == (State.RUNNING, True, 0, 0)
    assert free.discard_foreign == "0123456789abcdef"
    assert row_of(ledger) == free


def test_only_a_held_rotation_is_released(ledger: Ledger) -> None:
    """Anything else is refused."""
    row = ledger.open(claim(ledger), opening())
    with pytest.raises(Refused):
        ledger.release(row.id, WHO)
    assert row_of(ledger) == row


def test_a_persons_word_wakes_an_assisted_rotation(ledger: Ledger) -> None:
    """Held for a pair: with the word it runs; once the pair is kept only `replace` takes another; Apply then polls."""
    lease = claim(ledger)
    row = ledger.open(lease, opening(consumer=replace(CONSUMER, assisted=True)))
    held: Changes = {"state": State.HELD, "reason": "receive", "tries": 3}
    ledger.commit(lease, row, outcome("receive", Outcome.HELD), held)
    with pytest.raises(Refused, match="no new pair is safe"):
        ledger.say(row.id, WHO, Word.APPLIED)
    woken = ledger.say(row.id, WHO, Word.RECEIVE, "0123456789abcdef")
    assert (woken.state, woken.reason, woken.tries) == (State.RUNNING, "", 0)
    kept: Changes = {"new_key": "key1", "compared": "key1", "state": State.WAITING, "reason": "await_apply"}
    ledger.commit(lease, woken, outcome("escrow"), kept)
    with pytest.raises(Refused, match="already"):
        ledger.say(row.id, WHO, Word.RECEIVE)
    applied = ledger.say(row.id, WHO, Word.APPLIED)
    assert (applied.state, applied.verify_until is not None) == (State.RUNNING, True)
    assert ledger.say(row.id, WHO, Word.REPLACE).compared == ""
    assert row_of(ledger).compared == ""


def test_a_persons_word_means_nothing_to_another_rotation(ledger: Ledger) -> None:
    """No External Client App waits for a person's pair, and no ended or applied rotation does."""
    row = ledger.open(claim(ledger), opening())
    with pytest.raises(Refused, match="waits for no pair"):
        ledger.say(row.id, WHO, Word.RECEIVE)
    assert row_of(ledger) == row


def test_rotations_come_oldest_first(bench: Bench) -> None:
    """Open ones alone, or all."""
    ledger = bench.ledger
    lease = claim(ledger)
    ids = []
    for number in range(3):
        row = ledger.open(lease, opening(old=f"key{number}"))
        ids.append(row.id)
        bench.advance(5)
        if number < 2:
            ledger.commit(lease, row, outcome("close"), {"state": State.DONE})
    assert [row.id for row in ledger.rotations(open_only=False, app="billing")] == ids
    assert [row.id for row in ledger.rotations()] == ids[2:]
