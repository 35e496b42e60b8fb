"""The program itself: quick to start, the same options everywhere, errors that tell the next action."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from rotator.cli.main import HOMES
from tests.acceptance.scene import Scene, program, until

HEAVY = ("httpx", "hvac", "sqlalchemy", "pydantic", "rich", "structlog", "alembic", "httpcore")


def test_the_version_comes_quickly_and_loads_nothing_heavy() -> None:
    """`--version` imports none of the big libraries, and takes less than 0.3 s (the best of five)."""
    code = "import sys; from rotator.cli.main import main; main(['--version']); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [name for name in HEAVY if f"'{name}'" in loaded.stdout] == []
    took = []
    for _ in range(5):
        before = time.monotonic()
        assert program("--version").out.startswith("rotator ")
        took.append(time.monotonic() - before)
    assert min(took) < 0.3


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in HOMES)], ids=["program", *HOMES])
def test_every_command_has_help(words: list[str]) -> None:
    """`--help` of the program and of every command: exit 0, and a sentence."""
    done = program(*words)
    assert (done.code, "Usage: rotator" in done.out) == (0, True)


def test_common_options_stand_before_or_after_the_command(scene: Scene) -> None:
    """`--config`, `--json` and `--log-level` before, after, and inside a group: the same."""
    config = ["--config", str(scene.config)]
    for words in (
        [*config, "--json", "--log-level", "error", "db", "upgrade"], ["db", *config, "--json", "upgrade"],
        ["db", "upgrade", *config, "--json", "--log-level", "debug"],
    ):  # fmt: skip
        done = program(*words)
        assert (done.code, done.out.startswith('{"ok": true')) == (0, True), done.err


def test_the_configuration_may_be_named_by_the_environment(scene: Scene) -> None:
    """ROTATOR_CONFIG serves where --config is absent."""
    done = program("config", "check", env={"ROTATOR_CONFIG": str(scene.config)})
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "words", [["rotate"], ["rotat", "x"], ["rotate", "x", "--untl"], ["--log-level", "loud", "status"]]
)
def test_a_wrong_command_line_is_exit_2_with_a_fix(words: list[str]) -> None:
    """As words: message and fix on standard error. As JSON: the error document on standard output."""
    plain = program(*words)
    assert (plain.code, plain.out, "fix:" in plain.err) == (2, "", True)
    told = program("--json", *words)
    assert (told.code, told.out.startswith('{"ok": false, "exit": 2, "errors": [')) == (2, True)


def test_a_vault_that_is_down_is_try_again_later(scene: Scene) -> None:
    """Nothing was begun: exit 75, an error with a fix, no rotation; an org that is down the same."""
    scene.door("PATCH", "/vault", {"sealed": True})
    done = scene.json("rotate", "billing")
    assert (done.code, done.told["rotations"], bool(done.told["errors"][0]["fix"])) == (75, [], True)
    scene.door("PATCH", "/vault", {"sealed": False})
    scene.fault("status", {"site": "org", "path": "/apps/oauth/credentials"}, args={"status": 503})
    assert scene.json("rotate", "billing").code == 75


def test_a_vault_that_goes_down_in_the_middle_is_waited_for(scene: Scene) -> None:
    """Sealed while the live path is written: after `vault_wait` the rotation is `waiting`, exit 75; once it is back
    the rotation goes on by itself when its time comes."""
    scene.configure(vault_wait="0s")
    scene.door("POST", "/pause", {"match": {"purpose": "kv write", "path": "salesforce"}})
    with scene.started("--json", "rotate", "billing") as process:
        until(lambda: any(one["state"] == "paused" for one in scene.door("GET", "/paused")))
        scene.door("PATCH", "/vault", {"sealed": True})
        scene.door("POST", "/resume")
        out, err = process.communicate(timeout=40)
    (row,) = json.loads(out)["rotations"]
    assert (process.returncode, row["state"], bool(row["fix"])) == (75, "waiting", True), err
    scene.door("PATCH", "/vault", {"sealed": False})
    scene.door("DELETE", "/pause")
    until(lambda: scene.json("rotate", "billing").rotation["state"] == "overlap", 30)
    scene.settle()


def test_another_org_behind_the_host_is_refused(scene: Scene) -> None:
    """The org was pinned at first contact; the host leads to another org now: refused, and nothing is changed there."""
    assert scene.json("rotate", "billing", "--dry-run").code == 0
    scene.door("PATCH", "/orgs/acme", {"id": "00D000000000099AAA"})
    done = scene.json("rotate", "billing")
    assert done.code == 1
    assert "00D000000000099" in done.told["errors"][0]["message"]


def test_a_secret_file_that_others_may_read_is_refused(scene: Scene) -> None:
    """Mode 0644: exit 2, naming the file and the command that mends it."""
    (scene.folder / "vault-secret-id").chmod(0o644)
    done = scene.json("rotate", "billing")
    assert (done.code, "chmod" in done.told["errors"][0]["fix"]) == (2, True)
