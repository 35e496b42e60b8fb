"""One simulator per run of these tests; each test has a world, a folder and a database of its own."""

from __future__ import annotations

import subprocess
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


@pytest.fixture
def signed(scene: Scene) -> Scene:
    """A scene whose anchors are signed, with the public key beside it."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", scene.folder / "audit.pem"], check=True)
    (scene.folder / "audit.pem").chmod(0o600)
    subprocess.run(["openssl", "pkey", "-in", scene.folder / "audit.pem", "-pubout", "-out", public(scene)], check=True)
    audit = f'[audit]\nsigning_key_file = "audit.pem"\nanchors = ["file:{scene.folder}/anchors"]\n'
    scene.config.write_text(scene.config.read_text() + audit)
    return scene


def public(scene: Scene) -> Path:
    """The public key of such a scene."""
    return scene.folder / "audit.pub.pem"
