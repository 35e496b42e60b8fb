from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from rotator.log import set_up
from tests.unit.log.lines import Log


@pytest.fixture
def log() -> Iterator[Log]:
    """The log at DEBUG into a pipe."""
    stream = io.StringIO()
    with set_up("debug", env={}, stderr=stream):
        yield Log(stream)
