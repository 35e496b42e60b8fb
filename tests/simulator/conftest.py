"""One simulator for all tests here, made fresh before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rotator.simulator import start
from tests.simulator.sim import Sim


@pytest.fixture(scope="session")
def running_sim() -> Iterator[Sim]:
    """The simulator itself; use `sim`."""
    with start(seed=11, difficulty="plain") as running:
        sim = Sim(running)
        yield sim
        sim.close()


@pytest.fixture
def sim(running_sim: Sim) -> Sim:
    """A fresh plain world."""
    running_sim.reset()
    return running_sim
