"""What a simulator is started with, from the command line, a TOML or JSON file, or a test."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """All have defaults. `seed` 0 draws one; `difficulty` plain turns drawn shapes off; `ports` may fix `admin`,
    `vault` and org names to a port; `latency_ms` is added to each request to an org or the Vault."""

    seed: int = 0
    orgs: tuple[str, ...] = ("acme",)
    apps: int = 3
    difficulty: str = "difficult"
    facts: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, Any] = field(default_factory=dict)
    seed_live: bool = True
    strict_host: bool = False
    trap: bool = False
    chaos: bool = False
    latency_ms: float = 0.0
    overlap_s: float = 0.0
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    host: str = "127.0.0.1"
    ports: dict[str, int] = field(default_factory=dict)

    def changed(self, **changes: Any) -> Options:
        """A copy with some of them changed; ValueError names what is unknown."""
        known = {one.name for one in fields(self)}
        unknown = set(changes) - known
        if unknown:
            raise ValueError(f"unknown options: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
        if "orgs" in changes:
            changes["orgs"] = tuple(changes["orgs"])
        return replace(self, **changes)


def load(path: str) -> Options:
    """Options from a file: TOML, or JSON when the name ends in `.json`."""
    text = Path(path).read_text(encoding="utf-8")
    values = json.loads(text) if path.endswith(".json") else tomllib.loads(text)
    return Options().changed(**values)
