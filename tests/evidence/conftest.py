"""One forced rotation, approved by a second person, and its package; the tests look at it from all sides."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.people import as_other
from tests.acceptance.scene import Door, Json, Scene, simulator

REASON = 'key in a <script>alert("log")</script> & elsewhere'
ORDER = ("force", "billing", "--reason", REASON, "--ticket", "INC-7")
MORE = '\n[approval]\nsecond_person = true\n[audit]\nsigning_key_file = "audit.pem"\nanchors = []\n'


@dataclass(frozen=True)
class Case:
    """The scene, the rotation, and the package's files."""

    scene: Scene
    rotation: Json
    file: Path
    public: Path

    @property
    def document(self) -> Json:
        """The package, read."""
        found: Json = json.loads(self.file.read_text())
        return found


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    """The admin door of the simulator."""
    with simulator() as opened:
        yield opened


def key_pair(folder: Path, name: str) -> Path:
    """Makes a key for signatures; gives the public half's file."""
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    private.chmod(0o600)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return public


def strict(door: Door, folder: Path) -> tuple[Scene, Path]:
    """A scene that wants a second person and signs; with the public key."""
    scene = Scene(door, folder)
    public = key_pair(folder, "audit")
    scene.configure(orders="enabled = false")
    scene.config.write_text(scene.config.read_text() + MORE)
    return scene, public


@pytest.fixture(scope="module")
def case(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A workload logged in, somebody staged a pair of his own, the force was asked for, approved and done, and the
    package made."""
    folder = tmp_path_factory.mktemp("evidence")
    scene, public = strict(door, folder)
    door("POST", "/facts", {"session_shared_between_logins": "no"})
    door("POST", "/shapes", {"pairs_in_setup_trail": "yes"})
    door("POST", "/orgs/acme/apps/billing/logins", {"count": 3})
    scene.stranger("stage")
    held = scene.json(*ORDER).rotation
    assert as_other(scene, "approve", held["request_id"]).code == 0
    done = scene.json(*ORDER)
    assert done.code == 0, done.err
    file = folder / "incident.json"
    made = scene.json("evidence", done.rotation["rotation_id"], "--out", str(file))
    assert (made.code, made.told["file"]) == (0, str(file)), made.err
    return Case(scene, done.rotation, file, public)
