"""Classic connected apps on the real steps: a person beside the worker, faults at every call, every mistake."""

from __future__ import annotations

import pytest

from tests.model.assisted import ACTS, MISTAKES, WORLDS
from tests.model.assisted_plans import Job, attempt, explore, jobs


def test_no_plan_breaks_an_invariant() -> None:
    """A person who does as asked, and one for each mistake, in every world; one event and two: no violation."""
    found = [explore(job) for job in jobs()]
    assert "".join(one.text for one in found) == ""
    assert sum(sum(one.ends.values()) for one in found) > 2000, "the sample has become too small to mean anything"


@pytest.mark.exhaustive
@pytest.mark.timeout(3 * 3600)
def test_no_single_event_breaks_an_invariant() -> None:
    """Every fault and act at every call, for every mistake in every world, and a larger sample of doubles."""
    assert "".join(explore(job).text for job in jobs(full=True)) == ""


@pytest.mark.parametrize("mistake", ["", *MISTAKES])
@pytest.mark.parametrize("world", ["default", "Apply leaves the tokens"])
def test_undisturbed_every_mistake_is_mended(mistake: str, world: str) -> None:
    """Without faults a rotation ends done, whatever mistake the person made first."""
    end, text, w = attempt(Job(mistake, world, 0, 0), ({}, {}))
    assert text == ""
    assert end == "done"
    assert w.live[w.live_number].pair == w.primary


def test_the_person_of_the_model_makes_every_mistake_of_the_issue() -> None:
    """Generate twice, a typing error, Apply too early or late, nobody in time, an abandon, the old pair again."""
    made = {"typing error", "old pair", "generates twice", "applies first", "comes late", "applies late"}
    assert made <= set(MISTAKES)
    assert {"applies", "generates", "abandons", "forces"} <= set(ACTS)
    assert "generated pairs log in" in WORLDS
