"""Installs the wheel alone: a fresh environment that holds what the wheel says it needs, and nothing else.

No index is asked: the packages are those of the environment that runs the tests, of the versions of the lock, linked in
one by one. What the product imports without declaring it is therefore missing there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from tests.project.files import ROOT

Done = subprocess.CompletedProcess[str]


def needed_by(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """Gives the names of the distributions that one needs with these extras, and of those that they need in turn."""
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    names: set[str] = set()
    for need in map(Requirement, metadata.requires(name) or []):
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            names |= {need.name} | needed_by(need.name, frozenset(need.extras), seen)
    return names


def link(distribution: metadata.Distribution, site: Path) -> None:
    """Links the top-level packages and the metadata of a distribution into a site folder."""
    for top in {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}:
        place = site / top
        if not place.exists():
            place.symlink_to(Path(str(distribution.locate_file(top))))


class Installed:
    """The environment with the wheel in it."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.work.mkdir()
        self.wheel = build_wheel(folder / "dist")
        self.bin = folder / "venv" / "bin"
        self._make()

    def _make(self) -> None:
        venv = self.bin.parent
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "--python",
            str(self.bin / "python"),
        ]
        subprocess.run([*pip, "install", "--no-index", "--no-deps", str(self.wheel)], check=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(venv), "platbase": str(venv)}))
        for name in needed_by("rotator", frozenset(), set()):
            link(metadata.distribution(name), site)

    def run(self, *command: str, **env: str) -> Done:
        """Runs a program of the environment in an empty folder, far from the checkout, with a bare environment."""
        bare = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.work), "LANG": "C.UTF-8", **env}
        program = self.bin / command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=self.work, env=bare, capture_output=True, text=True, check=False, timeout=110
        )


def build_wheel(into: Path) -> Path:
    """Builds the wheel of the checkout with the tools of this environment, and gives its place."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=dict(os.environ))
    (wheel,) = into.glob("rotator-*.whl")
    return wheel
