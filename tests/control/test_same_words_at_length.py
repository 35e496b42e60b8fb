"""The rest of test_same_words.py."""

from __future__ import annotations

import pytest

from tests.acceptance.test_pause import test_what_cannot_be_paused_is_refused
from tests.acceptance.test_rotate import (
    test_a_pipe_gets_plain_lines,
    test_an_overlap_that_is_over_is_carried_on,
    test_json_keeps_standard_output_for_the_document,
    test_rotate_in_overlap_reports_and_changes_nothing,
    test_several_apps_are_driven_side_by_side,
    test_until_done_waits_out_the_overlap,
)
from tests.acceptance.test_stopping import test_a_timeout_parks_and_the_next_call_resumes
from tests.acceptance.test_undo import (
    test_a_held_rotation_is_told_and_left_alone,
    test_abandon_after_promote_is_refused_with_the_reason,
    test_abandon_and_release_need_something_to_work_on,
    test_abandon_before_publish_puts_everything_back,
    test_abandon_in_overlap_before_promote_follows_back,
    test_release_without_mending_holds_again,
)

pytestmark = pytest.mark.exhaustive
__all__ = [
    "test_a_held_rotation_is_told_and_left_alone",
    "test_a_pipe_gets_plain_lines",
    "test_a_timeout_parks_and_the_next_call_resumes",
    "test_abandon_after_promote_is_refused_with_the_reason",
    "test_abandon_and_release_need_something_to_work_on",
    "test_abandon_before_publish_puts_everything_back",
    "test_abandon_in_overlap_before_promote_follows_back",
    "test_an_overlap_that_is_over_is_carried_on",
    "test_json_keeps_standard_output_for_the_document",
    "test_release_without_mending_holds_again",
    "test_rotate_in_overlap_reports_and_changes_nothing",
    "test_several_apps_are_driven_side_by_side",
    "test_until_done_waits_out_the_overlap",
    "test_what_cannot_be_paused_is_refused",
]
