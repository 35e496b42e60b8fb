"""Fixtures of the contract suites."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from rotator.adapters.vault import VaultClient, VaultKv, VaultOptions
from rotator.simulator import start
from tests.contract.vault_ports import Connect, Door


@pytest.fixture(scope="session")
def simulated_vault() -> Iterator[Door]:
    """The simulator's Vault, one for the run."""
    with start(seed=7) as simulator, contextlib.closing(Door(simulator)) as door:
        yield door


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes Vault ports, and closes their clients in the end."""
    clients: list[VaultClient] = []

    def make(options: VaultOptions) -> VaultKv:
        clients.append(VaultClient(options))
        return VaultKv(clients[-1])

    yield make
    for client in clients:
        client.close()
