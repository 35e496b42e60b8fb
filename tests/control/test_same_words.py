"""The acceptance suite of the command line once more: here a daemon does the work, and everything is told the same."""

from __future__ import annotations

from tests.acceptance.test_pause import (
    test_a_person_rotates_a_paused_app_with_a_warning,
    test_what_cannot_be_paused_is_refused,
)
from tests.acceptance.test_rotate import (
    test_a_classic_app_is_refused_with_the_reason,
    test_a_dry_run_leaves_everything_as_it_was,
    test_a_pipe_gets_plain_lines,
    test_an_overlap_that_is_over_is_carried_on,
    test_an_unknown_app_is_refused_before_anything_is_done,
    test_json_keeps_standard_output_for_the_document,
    test_rotate_in_overlap_reports_and_changes_nothing,
    test_rotate_returns_when_the_new_pair_is_live,
    test_several_apps_are_driven_side_by_side,
    test_the_actor_is_the_one_behind_sudo,
    test_until_done_waits_out_the_overlap,
)
from tests.acceptance.test_stopping import test_a_timeout_parks_and_the_next_call_resumes
from tests.acceptance.test_undo import (
    test_a_foreign_pair_is_named_before_it_is_discarded,
    test_a_held_rotation_is_told_and_left_alone,
    test_abandon_after_promote_is_refused_with_the_reason,
    test_abandon_and_release_need_something_to_work_on,
    test_abandon_before_publish_puts_everything_back,
    test_abandon_in_overlap_before_promote_follows_back,
    test_release_without_mending_holds_again,
)

__all__ = [
    "test_a_classic_app_is_refused_with_the_reason",
    "test_a_dry_run_leaves_everything_as_it_was",
    "test_a_foreign_pair_is_named_before_it_is_discarded",
    "test_a_held_rotation_is_told_and_left_alone",
    "test_a_person_rotates_a_paused_app_with_a_warning",
    "test_a_pipe_gets_plain_lines",
    "test_a_timeout_parks_and_the_next_call_resumes",
    "test_abandon_after_promote_is_refused_with_the_reason",
    "test_abandon_and_release_need_something_to_work_on",
    "test_abandon_before_publish_puts_everything_back",
    "test_abandon_in_overlap_before_promote_follows_back",
    "test_an_overlap_that_is_over_is_carried_on",
    "test_an_unknown_app_is_refused_before_anything_is_done",
    "test_json_keeps_standard_output_for_the_document",
    "test_release_without_mending_holds_again",
    "test_rotate_in_overlap_reports_and_changes_nothing",
    "test_rotate_returns_when_the_new_pair_is_live",
    "test_several_apps_are_driven_side_by_side",
    "test_the_actor_is_the_one_behind_sudo",
    "test_until_done_waits_out_the_overlap",
    "test_what_cannot_be_paused_is_refused",
]
