"""Small helpers that the database needs: data folders, sortable ids."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest

from rotator.domain.errors import InvariantBroken
from rotator.domain.ids import sortable_id
from rotator.resources import data_dir


def test_data_folders_are_found_in_a_wheel_and_in_a_checkout(tmp_path: Path) -> None:
    """A wheel's own copy comes first; a folder beside the package counts only in a checkout."""
    package = tmp_path / "rotator"
    (tmp_path / "migrations").mkdir()
    package.mkdir()
    with pytest.raises(InvariantBroken, match="migrations"):
        data_dir("migrations", package)
    (tmp_path / "pyproject.toml").touch()
    assert data_dir("migrations", package) == tmp_path / "migrations"
    (package / "_data" / "migrations").mkdir(parents=True)
    assert data_dir("migrations", package) == package / "_data" / "migrations"


def test_ids_sort_by_the_time_they_were_made() -> None:
    """UUID version 7: milliseconds first, then random bits."""
    first = sortable_id()
    time.sleep(0.002)
    made = [first, *(sortable_id() for _ in range(100))]
    assert min(made) == first
    assert len(set(made)) == 101
    assert {uuid.UUID(one).version for one in made} == {7}
    assert {uuid.UUID(one).variant for one in made} == {uuid.RFC_4122}
    assert abs((uuid.UUID(first).int >> 80) / 1000 - time.time()) < 5
