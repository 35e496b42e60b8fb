"""Shared by all tests: the real servers, what happens where they cannot be had, and the exhaustive runs."""

from __future__ import annotations

import os

import pytest

from tests.servers.fixtures import disk, postgres_url, real_postgres, real_vault, vault_mount, vault_starter
from tests.servers.leftout import LeaveOut

__all__ = ["disk", "postgres_url", "real_postgres", "real_vault", "vault_mount", "vault_starter"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--exhaustive", action="store_true", help="also run what is marked exhaustive: whole fault spaces")
    parser.addoption("--boot", action="store_true", help="also run what is marked boot: a Debian that is booted")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LeaveOut(os.environ), "leave-out")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes longer than `make check` allows runs only when asked for."""
    unasked = [mark for mark in ("exhaustive", "boot") if not config.getoption(f"--{mark}")]
    later = [item for item in items if any(item.get_closest_marker(mark) for mark in unasked)]
    if later:
        config.hook.pytest_deselected(items=later)
        items[:] = [item for item in items if item not in set(later)]
