"""Small truths about the saga that the model takes for granted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from datetime import timedelta
from typing import get_type_hints

from rotator.domain.changes import Changes
from rotator.domain.pair import Credential, fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import STEP_NAMES, State, Trigger
from rotator.saga.steps import STEPS
from tests.model.calls import Crash
from tests.model.ports import MemoryLedger
from tests.model.scenes import begin, do, run_to_end, start
from tests.model.world import World


def test_the_changes_of_a_row_are_fields_of_the_row() -> None:
    """Names and types of `Changes` are those of `Rotation`."""
    row, changes = get_type_hints(Rotation), get_type_hints(Changes)
    assert {name: row.get(name) for name in changes} == changes
    assert set(changes) <= {field.name for field in fields(Rotation)}


def test_every_step_has_a_name_of_the_contract() -> None:
    """The trail knows each step by a name that outside checks rely on."""
    assert {step.name for step in STEPS} <= set(STEP_NAMES)


def test_a_rotation_runs_through_the_protocol_in_its_order() -> None:
    """Undisturbed, the outcomes stand in the trail in the order of protocol section 3."""
    w = World()
    begin(w, Trigger.MANUAL)
    assert run_to_end(w) is State.DONE
    order = [step for _, step, phase in w.trail if phase in ("outcome", "observe")]
    assert list(dict.fromkeys(order)) == [
        "stage", "escrow", "canary", "verify", "publish", "promote", "overlap", "retire", "refused", "revoke",
        "prove", "close",
    ]  # fmt: skip


def test_a_dry_run_changes_nothing_that_a_reader_sees() -> None:
    """Staged, verified, discarded: primary and live path as before, nothing left in slot or escrow."""
    w = World()
    begin(w, Trigger.MANUAL)
    w.dry_run = True
    before = w.primary, w.live_number
    assert run_to_end(w) is State.ABANDONED
    assert w.row.reason == "dry_run"
    assert (w.primary, w.live_number, w.slot, w.escrow) == (*before, [], {})


def died_after(call: int) -> World:
    """A world whose first process died after this call."""
    w = World(faults={call: "crash-after"})
    begin(w, Trigger.MANUAL)
    with suppress(Crash):
        start(w, w.wanted)
    w.faults = {}
    return w


def test_a_rotation_that_others_overtook_has_a_way_out() -> None:
    """Somebody else's pair became primary after our promote intent: a person puts it into the live path and abandons;
    what is ours is taken away, and the next rotation replaces their pair."""
    w = next(w for w in map(died_after, range(1, 200)) if w.rows and w.row.promoting)
    assert w.primary.key == "key0", "the intent is committed, the promote not sent"
    w.primary, w.acts_done = w.new_pair(w.foreign), w.acts_done + 1
    assert run_to_end(w) is State.HELD
    assert w.row.reason == "foreign_primary"
    w.live_number += 1
    w.live[w.live_number] = Credential(w.primary, "", {"note": ""})
    MemoryLedger(w).ask_abandon(w.row.id, Who())
    assert run_to_end(w) is State.ABANDONED
    assert (w.live[w.live_number].pair, w.escrow) == (w.primary, {})
    begin(w, Trigger.MANUAL)
    assert run_to_end(w) is State.DONE


def test_an_abandon_leaves_what_live_serves() -> None:
    """Somebody promoted his pair, ours is in the slot, and an operator named it as foreign by mistake before he said
    abandon: readers of the live path keep it."""
    w = World()
    begin(w, Trigger.MANUAL)
    do(w, "admin stages")
    do(w, "admin promotes ours")
    assert run_to_end(w) is State.HELD
    served = w.live[w.live_number].pair
    MemoryLedger(w).release(w.row.id, Who(), discard_foreign=fingerprint(served.key))
    MemoryLedger(w).ask_abandon(w.row.id, Who())
    run_to_end(w)
    assert w.accepts(served)
    assert w.live[w.live_number].pair == served


def test_the_proof_waits_for_the_propagation_after_retire() -> None:
    """`done` is never said before the last refusal lies W after the old pair was retired."""
    w = World(overlap=timedelta(0))
    begin(w, Trigger.MANUAL)
    assert run_to_end(w) is State.DONE
    row = w.row
    assert row.last_refusal is not None
    assert row.retired_at is not None
    assert row.last_refusal - row.retired_at >= timedelta(seconds=20)
    assert row.refusals == 3
