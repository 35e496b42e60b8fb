"""Small truths about the saga that the model takes for granted."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import get_type_hints

from rotator.domain.changes import Changes
from rotator.domain.rotation import Rotation
from rotator.domain.words import STEP_NAMES, State, Trigger
from rotator.saga.steps import STEPS
from tests.model.scenes import begin, run_to_end
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
