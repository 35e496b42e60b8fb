"""How a rotation may end, and what must then be true of the world."""

from __future__ import annotations

from rotator.domain.words import State
from tests.model.rules import rule
from tests.model.world import World


def done_is_true(w: World) -> None:
    """`done` is said only when the claims are true of the world (invariant 11)."""
    row, old = w.row, w.row.old_keys
    rule(not any(p.key in old for p in w.lingers & w.logged_in), "DONE but the old pair still logs in (11)")
    alive = {key for key, _ in w.tokens.values()}
    rule(not row.policy.sessions or not alive & set(old), "DONE but old tokens live (11)")
    if row.force:
        rule(not any(v.pair.key in old for v in w.live.values()), "DONE but Vault keeps the old pair (11)")
        rule(int(row.new_key[3:]) > w.decided, "DONE with a pair from before the decision")


def expected(w: World) -> tuple[State, ...]:
    """Without foreign acts: how a rotation may end in this world."""
    known, truth = w.known, w.truth
    orders = not known.no("staged_pair_accepted") or known.yes("rotated_pair_accepted")
    missing = known.unknown("staged_pair_accepted") and (w.row.policy.block_first or not truth.staged_pair_accepted)
    if not orders or missing:
        return (State.HELD,)
    shown = truth.tokens_listed and not truth.one_hidden
    provable = not w.row.policy.sessions or truth.tokens_die_with_pair or shown
    kept = w.row.policy.destroy_old and not truth.may_destroy
    end = State.DONE if provable and not kept else State.UNPROVEN
    young = truth.new_pair_slow and w.row.parent_id != ""  # its old pair is one that nobody was let in with yet
    if (w.row.policy.block_first or young) and w.row.canary == "none" and (w.faults or w.acts):
        return (end, State.UNPROVEN, State.HELD)  # one try only: an incident does not wait for a witness
    if "garbled" in w.faults.values():
        return (end, State.FAILED, State.HELD)
    return (end, State.HELD) if "unclear" in w.faults.values() else (end,)
