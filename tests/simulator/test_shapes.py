"""Every disagreement of reference sections 11 and 12 plays each of its ways."""

from __future__ import annotations

import pytest

from rotator.simulator.dice import Dice
from rotator.simulator.switches import FACTS, SHAPES, shapes
from tests.simulator.seen import posted
from tests.simulator.shapes import SEEN
from tests.simulator.sim import Sim

EVERY_WAY = [(name, value) for name, shape in SHAPES.items() for value in shape.drawn + shape.asked]


@pytest.mark.parametrize(("name", "value"), EVERY_WAY)
def test_a_shape_plays_each_of_its_ways(sim: Sim, name: str, value: str) -> None:
    """What a client sees is the value that the switch was set to."""
    sim.shapes(**{name: value})
    assert SEEN[name](sim) == value


def test_a_seed_repeats_its_world_and_another_gives_another() -> None:
    """The same seed draws the same shapes; two hundred seeds draw every value that may be drawn, and no other."""
    assert dict(shapes(Dice(7, "shapes:acme"))) == dict(shapes(Dice(7, "shapes:acme")))
    drawn = {(name, value) for seed in range(200) for name, value in shapes(Dice(seed, "shapes:acme")).items()}
    assert drawn == {(name, value) for name, shape in SHAPES.items() for value in shape.drawn}


@pytest.mark.parametrize("seed", range(1, 26))
def test_a_rotation_can_be_done_in_every_drawn_world(sim: Sim, seed: int) -> None:
    """However awkward the seed: stage, log in, publish, promote, delete, and the old pair is dead; nothing broke."""
    sim.reset(seed=seed, difficulty="difficult")
    names, entry = sim.admin("GET", "/shapes"), posted(sim)
    new = entry[names["key_field"]], entry[names["secret_field"]]
    assert sim.logs_in(new)
    assert sim.publish(new, cas=1).status_code == 200
    assert sim.rotate().status_code in (200, 204)
    assert sim.logs_in(sim.old)
    assert sim.delete().status_code in (200, 204)
    assert (sim.logs_in(sim.old), sim.logs_in(new)) == (False, True)
    assert sim.org.get(f"{sim.credentials}/staged").status_code in (200, 404)
    assert sim.invariants()["ok"]


def test_an_unknown_switch_is_refused_by_name(sim: Sim) -> None:
    """A mistyped switch or value is a 400 that lists what is known, and changes nothing."""
    reply = sim.door.post("/facts", json={"created_by_given": "no", "stagd_pair_accepted": "no"})
    assert reply.status_code == 400
    assert "stagd_pair_accepted" in reply.json()["error"]
    assert sim.door.post("/shapes", json={"urls": "sideways"}).status_code == 400
    assert sim.admin("GET", "/facts") == FACTS


def test_answers_hold_members_that_nobody_announced(sim: Sim) -> None:
    """Each answer of the credentials resource has an unknown member, and its members change places."""
    seen = [list(sim.org.get(sim.credentials).json()) for _ in range(12)]
    assert all(any(name.startswith("release") for name in names) for names in seen)
    assert len({tuple(n for n in names if not n.startswith("release")) for names in seen}) > 1
