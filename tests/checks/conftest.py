"""The checks in this process, against a simulator beside it: one world per test."""

from __future__ import annotations

from tests.acceptance.conftest import door, scene

__all__ = ["door", "scene"]
