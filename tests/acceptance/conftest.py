"""One simulator per run of these tests; each test has a world, a folder and a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.scene import Door, Scene, simulator
from tests.servers.fixtures import place_of


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    """The admin door of the simulator."""
    with simulator() as opened:
        yield opened


@pytest.fixture
def scene(door: Door, tmp_path: Path) -> Scene:
    """A fresh difficult world and a configuration for it."""
    return Scene(door, tmp_path)


@pytest.fixture
def real_vault_binary() -> str:
    """The Vault at hand; only for tests that say that they need it."""
    return place_of("vault")
