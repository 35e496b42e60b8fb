"""The build of the tests' Vault says what it needs before it starts, and finds what was built before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vault import build


def fake_go(folder: Path, version: str) -> dict[str, str]:
    """Puts a `go` on a PATH of its own that only knows its version."""
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho 'go version go{version} linux/amd64'\n")
    go.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}


def test_without_go_the_version_needed_is_named(tmp_path: Path) -> None:
    """The message tells which Go to install and what would serve instead."""
    with pytest.raises(
        build.CannotBuild, match=r"Install Go 1\.25\.3 or newer, or name a Vault binary in ROTATOR_TEST"
    ):
        build.build({"PATH": "", "HOME": str(tmp_path)})


def test_an_older_go_is_refused_before_any_download(tmp_path: Path) -> None:
    """Debian 12's Go 1.19 is told apart from one that can build this Vault."""
    with pytest.raises(build.CannotBuild, match=r"needs Go 1\.25\.3 or newer, here is 1\.19\.8"):
        build.build(fake_go(tmp_path, "1.19.8"))


@pytest.mark.parametrize("version", ["1.25.3", "1.26rc1", "1.26.8", "2.0"])
def test_a_newer_go_will_do(tmp_path: Path, version: str) -> None:
    """Exactly the version of go.mod, a newer one, and a release candidate of a newer one are taken."""
    assert build.check_go(fake_go(tmp_path, version)) == version


def test_a_vault_built_before_is_found_without_go(tmp_path: Path) -> None:
    """A clean clone on the same machine builds nothing."""
    env = {"PATH": "", "XDG_CACHE_HOME": str(tmp_path)}
    place = build.cached_binary(env)
    place.parent.mkdir()
    place.write_text("built")
    assert build.build(env) == place


def test_a_changed_module_gets_a_binary_of_its_own(tmp_path: Path) -> None:
    """The name of the binary follows the version and everything it is built from."""
    for name in build.SOURCES:
        (tmp_path / name).write_bytes((build.HERE / name).read_bytes())
    env = {"HOME": "/home/x"}
    before = build.cached_binary(env, tmp_path)
    assert before == build.cached_binary(env)
    assert before.parent == Path("/home/x/.cache/rotator")
    assert before.name.startswith("vault-1.21.2-")
    (tmp_path / "go.sum").write_text("another")
    assert build.cached_binary(env, tmp_path) != before
