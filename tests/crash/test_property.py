"""Stories of a rotation that nobody wrote: every invariant holds in each (Hypothesis, stateful)."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.crash.machine import Rotations

COMMON = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


def tell(examples: int, steps: int) -> Counter[str]:
    """Plays so many stories of so many steps; gives how they ended."""

    class Counted(Rotations):
        ends = Counter[str]()

    run_state_machine_as_test(Counted, settings=settings(COMMON, max_examples=examples, stateful_step_count=steps))
    print(f"{sum(Counted.ends.values())} stories: {dict(Counted.ends)}")
    return Counted.ends


@pytest.mark.timeout(300)
def test_no_story_breaks_an_invariant() -> None:
    """A hundred stories of forty steps: none breaks an invariant, and they end in every way there is."""
    ends = tell(100, 40)
    assert {"done", "held", "abandoned"} <= set(ends), "the stories have become too tame to mean anything"


@pytest.mark.exhaustive
@pytest.mark.timeout(6 * 3600)
def test_no_long_story_breaks_an_invariant() -> None:
    """Five thousand stories of eighty steps."""
    assert tell(5000, 80)["done"] > 0
