"""The locks pin what the project says it needs, with hashes and without any registry's address."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.project.files import ROOT

LOCK = (ROOT / "requirements" / "dev.lock").read_text()
NODE_LOCK = json.loads((ROOT / "tests" / "clients" / "package-lock.json").read_text())
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.M)


def project() -> dict[str, Any]:
    """Reads pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def declared() -> list[Requirement]:
    """Gives every requirement of the project: its own, of its extras, of its groups, of its build."""
    read = project()
    texts = [*read["project"]["dependencies"], *read["build-system"]["requires"]]
    for extra in read["project"]["optional-dependencies"].values():
        texts += extra
    for group in read["dependency-groups"].values():
        texts += [entry for entry in group if isinstance(entry, str)]
    return [Requirement(text) for text in texts]


def test_the_lock_satisfies_every_declared_requirement() -> None:
    """Whoever changes pyproject.toml without `make lock` is told so here."""
    pins = {canonicalize_name(name): version for name, version in PIN.findall(LOCK)}
    stale = [str(need) for need in declared() if not satisfied(need, pins)]
    assert stale == []


def satisfied(need: Requirement, pins: dict[Any, str]) -> bool:
    """Whether a pin fits the requirement."""
    pinned = pins.get(canonicalize_name(need.name))
    return pinned is not None and need.specifier.contains(Version(pinned), prereleases=True)


def test_every_pin_has_a_hash_and_no_address() -> None:
    """pip checks every file against the lock, and the lock tells nobody where to download."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", LOCK.strip())
    assert len(entries) == len(PIN.findall(LOCK)) > 40
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCK


def test_the_node_lock_pins_the_clients_by_hash_and_without_address() -> None:
    """jsforce is the version that runs on Node 18, every package has its integrity, none a download address."""
    packages = {name: entry for name, entry in NODE_LOCK["packages"].items() if name}
    assert packages["node_modules/jsforce"]["version"] == "3.9.1"
    assert [name for name, entry in packages.items() if not entry.get("integrity")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
