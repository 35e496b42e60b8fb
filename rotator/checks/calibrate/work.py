"""A calibration from its first look to its clean end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from rotator.checks.calibrate import acts, guard
from rotator.checks.calibrate.course import Course
from rotator.checks.calibrate.experiments import Found, found
from rotator.checks.calibrate.lab import Lab
from rotator.domain.errors import Refused, RotatorError
from rotator.domain.session import Holders
from rotator.domain.words import Outcome, Phase

WATCHES = 3  # of up to `propagation` each: the new pair, the displaced one, the deleted one


def calibrated(lab: Lab, rows: Iterable[guard.Row], own_keys: Sequence[str], user: Callable[[Holders], str],
               *, trusted: bool) -> tuple[Mapping[str, Found], str]:
    """Looks whether the app is unused, clears what an earlier calibration left, runs every experiment, cleans up.

    rows: of the trail, of earlier calibrations. own_keys: with which the rotator itself logs in. user: the id of the
    run-as user. trusted: the configuration says that nobody needs the app, so tokens that are alive say nothing. Gives
    what was found, and what the org says to a second stage. Raises Refused where the app looks used, and whatever ends
    it half-way; what it left then is cleared away at once where that is possible, else by the next one.
    """
    left = guard.left_behind(rows)
    guard.must_be_unused(lab, own_keys)
    lab.user_id = user(lab.patient(lambda: lab.org.holders(lab.consumer), "looks who holds tokens of the app"))
    leftover = () if trusted else guard.must_have_no_tokens(lab, left)
    lab.note(Phase.OBSERVE, Outcome.OK, act="begin", left_over=len(left.keys), tokens=len(leftover))
    guard.clear_left_over(lab, left)
    lab.ahead = WATCHES
    course = Course(lab)
    try:
        for grant in leftover:
            with suppress(Refused):
                acts.end(lab, grant)
        return found(course), course.second_stage
    finally:
        _clean_up(lab, course)


def _clean_up(lab: Lab, course: Course) -> None:
    """The slot empty, our tokens dead, the app unblocked; as far as the org lets us, and whatever ended it."""
    lab.closing, lab.ahead = True, 0
    for work in (course.unblock, lambda: acts.clear(lab, "the end of the calibration"), lab.end_kept):
        with suppress(RotatorError):
            work()
