"""One simulator for these tests; each has a world of its own with two identities."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import door
from tests.acceptance.scene import Door
from tests.own.place import TwoIdentities

__all__ = ["door"]


@pytest.fixture
def place(door: Door, tmp_path: Path) -> TwoIdentities:
    """A fresh difficult world with a spare."""
    return TwoIdentities(door, tmp_path)
