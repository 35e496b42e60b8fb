"""Fetches promtool, which Debian has in its package `prometheus`: `python -m tests.servers.promtool`.

apt downloads the package from the machine's own sources, and one file of it is kept in the user's cache: nothing is
installed, so no server is started.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

MEMBER = "./usr/bin/promtool"


class CannotFetch(Exception):
    """This machine cannot fetch it; the text says why."""


def cached(env: Mapping[str, str]) -> Path:
    """Gives its place in the cache, whether or not it is there yet."""
    home = env.get("XDG_CACHE_HOME") or str(Path(env.get("HOME") or Path.home()) / ".cache")
    return Path(home) / "rotator" / "promtool"


def at_hand(env: Mapping[str, str]) -> str:
    """ROTATOR_TEST_PROMTOOL, then the PATH, then the cache; "" where there is none."""
    place = env.get("ROTATOR_TEST_PROMTOOL") or shutil.which("promtool", path=env.get("PATH")) or str(cached(env))
    return place if Path(place).is_file() else ""


def fetch(env: Mapping[str, str]) -> Path:
    """Fetches it into the cache. Raises CannotFetch."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise CannotFetch("no apt-get and dpkg-deb here; put promtool on the PATH, or name it in ROTATOR_TEST_PROMTOOL")
    place = cached(env)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        _download(Path(scratch))
        (package,) = Path(scratch).glob("*.deb")
        made = Path(scratch) / "promtool"
        _take(package, made)
        os.replace(made, place)  # whole or not at all
    return place


def _download(folder: Path) -> None:
    """apt's lists may be old or absent: then they are read once more."""
    for first in (["apt-get", "update", "-qq"], None):
        done = subprocess.run(["apt-get", "download", "-qq", "prometheus"], cwd=folder, capture_output=True, text=True,
                              check=False)
        if done.returncode == 0:
            return
        if first:
            subprocess.run(first, capture_output=True, check=False)
    raise CannotFetch(f"`apt-get download prometheus` failed: {done.stderr.strip()[-300:]}")


def _take(package: Path, made: Path) -> None:
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as members,
    ):
        for member in members:
            source = members.extractfile(member) if member.name == MEMBER else None
            if source is not None:
                made.write_bytes(source.read())
    if not made.is_file():
        raise CannotFetch(f"{package.name} holds no {MEMBER}")
    made.chmod(0o755)


def main(argv: list[str] | None = None) -> int:
    """Fetches it unless it is at hand, and prints its place. With --if-possible a failure is only said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--if-possible", action="store_true", help="no failure where it cannot be had")
    options = parser.parse_args(argv)
    try:
        print(at_hand(os.environ) or fetch(os.environ))
    except CannotFetch as failure:
        print(f"promtool: {failure}", file=sys.stderr)
        return 0 if options.if_possible else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
