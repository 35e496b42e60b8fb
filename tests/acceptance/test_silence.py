"""Invariant 12 over the whole program: no secret in any sink, at the loudest log level."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.scene import Scene, environment
from tests.canary.silence import assert_silent, core_limit, observe


def watched(scene: Scene, *words: str) -> dict[str, bytes | Path]:
    """Runs the program, and gives all its sinks: output, command line and environment of its whole family."""
    out, err = scene.folder / "out.txt", scene.folder / "err.txt"
    with out.open("ab") as stdout, err.open("ab") as stderr:
        process = subprocess.Popen(scene.command("--log-level", "debug", *words), stdout=stdout, stderr=stderr,
                                   env=environment(), cwd=scene.folder)  # fmt: skip
        seen = observe(process)
    assert process.returncode in (0, 3, 75), err.read_text()[-2000:]
    return {"standard output": out, "standard error": err, **seen}


def named(secrets: list[str]) -> dict[str, str]:
    """Each secret under a name."""
    return {f"secret {number}": text for number, text in enumerate(secrets)}


@pytest.mark.parametrize("json", [False, True])
def test_a_whole_rotation_at_debug_is_silent(scene: Scene, json: bool) -> None:
    """Check, rotation to the proof, history and status: every secret that org and Vault ever gave out is searched for
    in output, log, database with its log files, command line and environment."""
    flags = ("--json",) if json else ()
    sinks: dict[str, bytes | Path] = {}
    for words in (("check",), ("rotate", "orders", "--until", "done"), ("history",), ("status",), ("audit", "verify")):
        sinks |= watched(scene, *flags, *words)
    secrets = scene.secrets()
    assert len(secrets) > 20
    looked = assert_silent({**sinks, "database": scene.database}, named(secrets))
    assert looked["database"] > 10_000
    assert looked["standard error"] > 2_000
    assert any(name.startswith("environ of") for name in looked)


def test_a_rotation_among_faults_is_silent(scene: Scene) -> None:
    """The org answers garbage, breaks connections and puts control characters into names; still nothing leaks."""
    scene.fault("garbage", {"site": "org", "purpose": "read slot"}, nth=2)
    scene.fault("after", {"site": "org", "purpose": "token"}, nth=3)
    scene.fault("control", {"site": "org", "purpose": "list consumers"}, nth=1)
    scene.fault("status", {"site": "vault", "purpose": "kv write"}, nth=2, args={"status": 500, "body": "oops"})
    sinks = watched(scene, "rotate", "billing", "--timeout", "20s")
    looked = assert_silent({**sinks, "database": scene.database}, named(scene.secrets()))
    assert looked["database"] > 10_000


def test_the_process_writes_no_core_and_hides_its_memory(scene: Scene) -> None:
    """While it runs: both limits of core files are 0."""
    scene.configure(propagation="30s")
    scene.door("POST", "/facts", {"new_pair_propagation": "60s"})
    with scene.started("rotate", "billing") as process:
        assert process.stdout
        assert process.stdout.readline() != ""
        assert core_limit(process.pid) == ("0", "0")


def test_a_planted_leak_is_found(scene: Scene) -> None:
    """The search would see one: the same database, with a secret written into it by hand, is not silent."""
    watched(scene, "rotate", "billing", "--dry-run")
    secret = scene.secrets()[0]
    with scene.database.open("ab") as database:
        database.write(secret.encode())
    with pytest.raises(AssertionError, match="not silent"):
        assert_silent({"database": scene.database}, {"planted": secret})
