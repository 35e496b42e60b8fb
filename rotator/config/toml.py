"""Writing single TOML values and keys, for messages and examples."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from rotator.config.durations import write_duration
from rotator.config.lines import Path


def value(given: Any) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(given, BaseModel):
        return value(given.model_dump(exclude_unset=True))
    if isinstance(given, timedelta):
        return value(write_duration(given))
    if isinstance(given, Mapping):
        pairs = ", ".join(f"{bare(name)} = {value(inner)}" for name, inner in given.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(given, list | tuple):
        return f"[{', '.join(map(value, given))}]"
    return json.dumps(given, ensure_ascii=False)


def bare(name: str) -> str:
    """A key, quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else json.dumps(name)


def dotted(path: Path) -> str:
    """A path for people: `apps.billing.overlap`, `notify[0].kind`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{bare(part)}"
    return text.lstrip(".")
