"""One simulator for these tests; each test has a world of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.scene import Door, simulator


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    """The admin door of the simulator."""
    with simulator() as opened:
        yield opened
