"""Fixtures of the crash tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rotator.simulator import Running, start
from tests.crash.support import Door


@pytest.fixture(scope="module")
def sim() -> Iterator[Running]:
    """One simulator for all, with a host beside it that nobody may call; each scene resets it."""
    with start(seed=1, trap=True) as running:
        yield running


@pytest.fixture(scope="module")
def door(sim: Running) -> Iterator[Door]:
    found = Door(sim.admin_url)
    yield found
    found.close()
