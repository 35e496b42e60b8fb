"""The table of switches in the package's own description is complete."""

from __future__ import annotations

import re

import rotator.simulator
from rotator.simulator.switches import FACTS, SHAPES


def test_the_description_names_every_switch_and_value() -> None:
    """A switch, or a value of one, that the docstring leaves out would not be found."""
    text = set(re.findall(r"\w+", rotator.simulator.__doc__ or ""))
    known = {*FACTS, *FACTS.values(), *SHAPES}
    known |= {value for shape in SHAPES.values() for value in shape.drawn + shape.asked}
    assert known - text == set()
