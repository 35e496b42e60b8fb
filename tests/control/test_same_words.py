"""The acceptance suite of the command line once more: here a daemon does the work, and everything is told the same.

A part of it; the rest runs with `make crash` (test_same_words_at_length.py).
"""

from __future__ import annotations

from tests.acceptance.test_adopt import test_a_drift_without_a_rotation_is_settled_by_it
from tests.acceptance.test_pause import test_a_person_rotates_a_paused_app_with_a_warning
from tests.acceptance.test_rotate import (
    test_a_dry_run_leaves_everything_as_it_was,
    test_an_unknown_app_is_refused_before_anything_is_done,
    test_rotate_returns_when_the_new_pair_is_live,
    test_the_actor_is_the_one_behind_sudo,
)
from tests.acceptance.test_undo import test_a_foreign_pair_is_named_before_it_is_discarded

__all__ = [
    "test_a_drift_without_a_rotation_is_settled_by_it",
    "test_a_dry_run_leaves_everything_as_it_was",
    "test_a_foreign_pair_is_named_before_it_is_discarded",
    "test_a_person_rotates_a_paused_app_with_a_warning",
    "test_an_unknown_app_is_refused_before_anything_is_done",
    "test_rotate_returns_when_the_new_pair_is_live",
    "test_the_actor_is_the_one_behind_sudo",
]
