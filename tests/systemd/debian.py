"""A small Debian root and the wheels that go into it, made once and kept in the user's cache directory.

`python -m tests.systemd.debian` makes both and prints their places. Mirror, suite and keyring are those of the
machine's own apt sources, read when it runs; the wheels are those of the lock, fetched by the pip of this environment
as it is set up.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from tests.project.files import ROOT
from tests.project.installed import needed_by
from tests.vault.build import say

PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "ca-certificates", "sqlite3")
NEEDED = {"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
APT = Path("/etc/apt")


@dataclass(frozen=True)
class Source:
    """Where a suite is fetched from; `keyring` is empty where apt's own keys are meant."""

    mirror: str
    suite: str
    keyring: str


class CannotMake(Exception):
    """This machine cannot make or boot a Debian; the text says what is missing."""


def why_not(env: Mapping[str, str], user: int) -> str:
    """What this machine, or this user id, lacks to boot a Debian of its own; empty where nothing."""
    if user != 0:
        return "booting a Debian needs root"
    absent = [package for tool, package in NEEDED.items() if shutil.which(tool, path=env.get("PATH")) is None]
    if absent:
        return f"install {', '.join(absent)}"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "the kernel has no overlay file system"
    try:
        source()
    except CannotMake as lack:
        return str(lack)
    return ""


def cache(env: Mapping[str, str]) -> Path:
    """The folder of this project in the user's cache directory."""
    return Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME") or Path.home()) / ".cache") / "rotator"


# --- apt's sources


def source(apt: Path = APT, release: Path = Path("/etc/os-release")) -> Source:
    """The first source of apt that has the suite of this machine. Raises CannotMake where there is none."""
    named = re.search(r"^VERSION_CODENAME=(\S+)$", release.read_text(), re.M)
    suite = named[1] if named else ""
    for found in (*_stanzas(apt), *_lines(apt)):
        if suite and found.suite == suite and found.mirror.startswith("http"):
            return found
    raise CannotMake(f"apt's sources name no mirror of {suite or 'a Debian or Ubuntu suite'}")


def _stanzas(apt: Path) -> Iterator[Source]:
    """Of the `.sources` files, deb822 (sources.list(5))."""
    for file in sorted((apt / "sources.list.d").glob("*.sources")):
        text = "\n".join(line for line in file.read_text().splitlines() if not line.startswith("#"))
        for stanza in re.split(r"\n\s*\n", text):
            told = {name.lower(): value.split() for name, value in re.findall(r"^([\w-]+):(.*)$", stanza, re.M)}
            if "deb" in told.get("types", ()) and told.get("enabled", ["yes"]) != ["no"]:
                keyring = next((word for word in told.get("signed-by", ()) if word.startswith("/")), "")
                yield from (Source(uri, suite, keyring) for uri in told["uris"] for suite in told["suites"])


def _lines(apt: Path) -> Iterator[Source]:
    """Of the one-line files."""
    for file in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))):
        text = file.read_text() if file.is_file() else ""
        for options, uri, suite in re.findall(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s", text, re.M):
            signed = re.search(r"signed-by=(/\S+)", options)
            yield Source(uri, suite, signed[1] if signed else "")


# --- the two things that are kept


def root(env: Mapping[str, str]) -> Path:
    """The Debian root, made where it is not there yet (a minute)."""
    wanted = source()
    mark = hashlib.sha256(repr((wanted, PACKAGES)).encode()).hexdigest()[:12]
    place = cache(env) / f"{wanted.suite}-{mark}"

    def make(folder: Path) -> None:
        say(f"systemd: making a {wanted.suite} root, once: about a minute, kept in {place}")
        keyring = [f"--keyring={wanted.keyring}"] if wanted.keyring else []
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", *keyring]
        _run([*command, wanted.suite, str(folder), wanted.mirror])
        shutil.rmtree(folder / "var/cache/apt", ignore_errors=True)

    return _kept(place, make)


def wheels(env: Mapping[str, str], debian: Path) -> Path:
    """What the product needs with its extra `postgres`, as the lock has it, for the Python of the root."""
    text = _locked({canonicalize_name(name) for name in needed_by("rotator", frozenset({"postgres"}), set())})
    version = re.sub(r"^python", "", (debian / "usr/bin/python3").readlink().name)
    mark = hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()[:12]

    def make(folder: Path) -> None:
        wanted = folder / "wanted.txt"
        wanted.write_text(text)
        pip = [sys.executable, "-m", "pip", "--quiet", "download", "--only-binary", ":all:", "--require-hashes"]
        _run([*pip, "--no-deps", "--python-version", version, "-r", str(wanted), "-d", str(folder)])

    return _kept(cache(env) / f"wheels-{mark}", make)


def _locked(names: set[str]) -> str:
    """The entries of the lock for these distributions."""
    entries = re.split(r"^(?=\S)", (ROOT / "requirements/dev.lock").read_text(), flags=re.M)
    return "".join(entry for entry in entries if canonicalize_name(re.split(r"[=\[ ]", entry, maxsplit=1)[0]) in names)


def _kept(place: Path, make: Callable[[Path], None]) -> Path:
    """Whole or not at all: a second run beside this one does no harm."""
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f"{place.name}.", dir=place.parent))
    scratch.chmod(0o755)
    try:
        make(scratch)
        if not place.is_dir():
            scratch.rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return place


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotMake(f"{command[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")


if __name__ == "__main__":
    made = root(os.environ)
    print(made, wheels(os.environ, made), sep="\n")
