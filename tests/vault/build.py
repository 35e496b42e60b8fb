"""Builds HashiCorp's Vault as an ordinary Go module dependency, once, for the tests: `python -m tests.vault.build`.

The binary lies in the user's cache directory under a name that holds the version and a hash of what it was built from,
so that a clean clone on the same machine finds it. Licence BUSL 1.1: used to test against, never shipped.

Why v1.21.2: 1.21.3 and 1.21.4 do not build outside their own tree (the published sdk differs from theirs), and
`go mod tidy` lifts the sdk and breaks 1.21.2 as well. So: never tidy, always `-mod=readonly`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = ("go.sum", "go.mod", "main.go")
BUILD = ("go", "build", "-mod=readonly", "-tags", "minimal", "-trimpath", "-ldflags=-s -w")


class CannotBuild(Exception):
    """This machine cannot build the Vault; the text says why and what to do instead."""


def module_facts(folder: Path = HERE) -> tuple[str, str]:
    """Gives the Go version that go.mod asks for and the Vault version that it pins."""
    text = (folder / "go.mod").read_text()
    go = re.search(r"^go (\S+)$", text, re.M)
    vault = re.search(r"github\.com/hashicorp/vault v(\S+)", text)
    if not go or not vault:
        raise CannotBuild(f"{folder / 'go.mod'} names no Go or no Vault version; restore it from the repository.")
    return go[1], vault[1]


def cached_binary(env: Mapping[str, str], folder: Path = HERE) -> Path:
    """Gives the place of the built Vault, whether or not it is there yet."""
    _, version = module_facts(folder)
    built_from = repr(BUILD).encode() + b"".join((folder / name).read_bytes() for name in SOURCES)
    home = env.get("XDG_CACHE_HOME") or str(Path(env.get("HOME") or Path.home()) / ".cache")
    return Path(home) / "rotator" / f"vault-{version}-{hashlib.sha256(built_from).hexdigest()[:12]}"


def version_key(version: str) -> tuple[int, ...]:
    """Turns `1.25.3` into a tuple that compares; a release candidate counts as its release."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[a-z-]", version)[0]))


def check_go(env: Mapping[str, str], folder: Path = HERE) -> str:
    """Gives the version of the Go at hand. Raises CannotBuild where it is absent or older than go.mod asks for."""
    needed, _ = module_facts(folder)
    instead = "or name a Vault binary in ROTATOR_TEST_VAULT, or put `vault` on the PATH"
    go = shutil.which("go", path=env.get("PATH"))
    if go is None:
        raise CannotBuild(f"Go is not at hand. Install Go {needed} or newer, {instead}.")
    # Inside the module a Go that may switch its toolchain does so, and answers with the version it took.
    answer = subprocess.run([go, "version"], cwd=folder, env=dict(env), capture_output=True, text=True, check=False)
    found = re.search(r"go version go(\S+)", answer.stdout)
    if not found or version_key(found[1]) < version_key(needed):
        said = found[1] if found else (answer.stderr.strip() or "nothing it understands")
        raise CannotBuild(f"Vault needs Go {needed} or newer, here is {said}. Install a newer Go, {instead}.")
    return found[1]


def build(env: Mapping[str, str], folder: Path = HERE) -> Path:
    """Builds the Vault unless it is there already, and gives its place. Raises CannotBuild."""
    binary = cached_binary(env, folder)
    if binary.is_file():
        return binary
    go = check_go(env, folder)
    _, version = module_facts(folder)
    say(f"vault: building HashiCorp Vault {version} with Go {go}, once: some six minutes, kept in {binary}")
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=binary.parent) as scratch:
        made = Path(scratch) / "vault"
        done = subprocess.run([*BUILD, "-o", str(made), "."], cwd=folder, env={**env, "CGO_ENABLED": "0"}, check=False)
        if done.returncode != 0:
            raise CannotBuild("`go build` failed, its words stand above. Run `make vault` again once they are mended.")
        os.replace(made, binary)  # whole or not at all: a second build beside this one does no harm
    return binary


def say(text: str) -> None:
    """Chatter goes to standard error; standard output holds the path alone."""
    print(text, file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    """Builds and prints the path. With --if-possible a Vault found elsewhere, or no Go, is no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--if-possible", action="store_true", help="no failure where this machine cannot build it")
    parser.add_argument("--where", action="store_true", help="print the Vault at hand, if any; build nothing")
    options = parser.parse_args(argv)
    given = os.environ.get("ROTATOR_TEST_VAULT") or shutil.which("vault")
    if options.where:
        built = cached_binary(os.environ)
        print(given or (built if built.is_file() else ""))
        return 0
    if options.if_possible and given:
        return 0
    try:
        print(build(os.environ))
    except CannotBuild as failure:
        say(f"vault: {failure}")
        return 0 if options.if_possible else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
