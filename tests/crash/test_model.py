"""The proof of the protocol on the real steps: faults, foreign acts, frozen workers, in every world of the facts."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.model.plans import BESIDE, SEED, WORLDS, Found, explore, jobs, line
from tests.model.scenes import SCENES

BRIEFLY = BESIDE[1:3]  # stay-blocked, and an operator's acts on block-first


def verdict(found: list[Found]) -> str:
    """Prints the counts; the violations as one text."""
    for one in found:
        print(line(one))
    print(f"{sum(one.total for one in found)} plans (seed {SEED})")
    return "\n".join(one.text for one in found if one.text)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene not in BRIEFLY])
def test_no_plan_breaks_an_invariant(scene: str) -> None:
    """Every single event in the default world, a seeded sample of doubles and of the other worlds: no violation."""
    found = [explore(job) for job in jobs(scene)]
    assert verdict(found) == ""
    assert sum(one.total for one in found) > 2000, "the sample has become too small to mean anything"


@pytest.mark.parametrize("scene", BRIEFLY)
def test_no_plan_of_a_scene_beside_others_breaks_an_invariant(scene: str) -> None:
    """A few hundred plans, in the default world and where nothing is staged while blocked; `make crash` plays all."""
    worlds = ("default", "nothing staged while blocked")
    found = [explore(job._replace(parts=4)) for job in jobs(scene) if job.world in worlds]
    assert verdict(found) == ""
    assert sum(one.total for one in found) > 200


@pytest.mark.exhaustive
@pytest.mark.timeout(6 * 3600)
def test_no_double_breaks_an_invariant() -> None:
    """All singles in every world, all doubles of a routine rotation in the default world: no violation."""
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(explore, jobs(full=True)))
    assert verdict(found) == ""


def test_every_fact_of_the_org_has_a_world_of_its_own() -> None:
    """A world for each fact that the saga decides on, each way."""
    assert {"default", "staged not accepted", "rotated not accepted", "secret not readable", "author not given",
            "tokens outlive the pair", "... and are not listed", "slot id survives", "new pair slow",
            "facts unknown", "unknown, staged not", "unknown, rotated not"} <= set(WORLDS)
