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


def needed_by(distribution: str, seen: dict[str, metadata.Distribution]) -> dict[str, metadata.Distribution]:
    """Collects the distributions that one needs, and those that these need, without any extra that nobody asks for."""
    for text in metadata.requires(distribution) or []:
        need = Requirement(text)
        wanted = [{"extra": extra} for extra in ("", *need.extras)]
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        if need.name not in seen:
            seen[need.name] = metadata.distribution(need.name)
            needed_by(need.name, seen)
        for environment in wanted[1:]:
            of_extra(need.name, environment["extra"], seen)
    return seen


def of_extra(distribution: str, extra: str, seen: dict[str, metadata.Distribution]) -> None:
    """Adds what one extra of a distribution needs."""
    for text in metadata.requires(distribution) or []:
        need = Requirement(text)
        if need.marker is None or not need.marker.evaluate({"extra": extra}) or need.name in seen:
            continue
        seen[need.name] = metadata.distribution(need.name)
        needed_by(need.name, seen)


def link(distribution: metadata.Distribution, site: Path) -> None:
    """Links the top-level packages and the metadata of a distribution into a site folder."""
    for top in {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}:
        place = site / top
        if not place.exists():
            place.symlink_to(Path(str(distribution.locate_file(top))))


class Installed:
    """The environment with the wheel in it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
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
        for distribution in needed_by("rotator", {}).values():
            link(distribution, site)

    def run(self, *command: str, **env: str) -> Done:
        """Runs a program of the environment in an empty folder, far from the checkout, with a bare environment."""
        work = self.home / "work"
        work.mkdir(exist_ok=True)
        bare = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(work), "LANG": "C.UTF-8", **env}
        program = self.bin / command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=work, env=bare, capture_output=True, text=True, check=False, timeout=110
        )


def build_wheel(into: Path) -> Path:
    """Builds the wheel of the checkout with the tools of this environment, and gives its place."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=dict(os.environ))
    (wheel,) = into.glob("rotator-*.whl")
    return wheel
