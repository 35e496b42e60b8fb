"""The fixtures that give a test a real server. Asking for one says that the test needs it (see leftout.py)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.disk import SmallDisk, small_disk
from tests.servers.leftout import finding
from tests.servers.postgres import RealPostgres, running_postgres
from tests.servers.suites import Found
from tests.servers.vault import RealVault

StartVault = Callable[..., RealVault]


def place_of(suite: str) -> str:
    """Gives where the suite's server is; a test that got here without it was not left out, which is a mistake."""
    found = finding(suite)
    assert isinstance(found, Found), found.why
    return found.place


@pytest.fixture(scope="session")
def real_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVault]:
    """One unsealed Vault for the whole run; a test that seals it unseals it again."""
    vault = RealVault(place_of("vault"), tmp_path_factory.mktemp("vault"))
    try:
        yield vault.start()
    finally:
        vault.stop()


@pytest.fixture
def vault_mount(real_vault: RealVault) -> str:
    """The path of a KV v2 engine of the test's own on the shared Vault."""
    return real_vault.enable_kv()


@pytest.fixture
def vault_starter(tmp_path: Path) -> Iterator[StartVault]:
    """Starts Vaults of the test's own: `vault_starter(storage="raft", tls=Tls.make(folder))`; about a second each."""
    with contextlib.ExitStack() as stack:

        def start(**how: Any) -> RealVault:
            folder = tmp_path / f"vault-{len(list(tmp_path.glob('vault-*')))}"
            folder.mkdir()
            vault = RealVault(place_of("vault"), folder, **how)
            stack.callback(vault.stop)
            return vault.start()

        yield start


@pytest.fixture(scope="session")
def real_postgres() -> Iterator[RealPostgres]:
    """One PostgreSQL for the whole run; `database()` and `clone()` give fresh databases."""
    with running_postgres(place_of("postgres")) as server:
        yield server


@pytest.fixture
def disk(real_postgres: RealPostgres) -> Iterator[SmallDisk]:
    """A small disk with an empty database of the test's own on it."""
    with small_disk(real_postgres) as made:
        yield made


@pytest.fixture
def postgres_url(real_postgres: RealPostgres) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    url = real_postgres.database()
    yield url
    real_postgres.drop(url)
