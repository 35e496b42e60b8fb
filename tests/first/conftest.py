"""One simulator for these tests; each has a world of its own."""

from __future__ import annotations

from tests.acceptance.conftest import door, scene

__all__ = ["door", "scene"]
