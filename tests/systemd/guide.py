"""The commands of the guide, as they stand there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "systemd/README.md"


def blocks(heading: str) -> list[str]:
    """The shell blocks below this heading, in order; at least one. What a person would type is one block each."""
    sections = re.split(r"^## ", GUIDE.read_text(encoding="utf-8"), flags=re.M)
    (section,) = [text for text in sections if text.startswith(f"{heading}\n")]
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", section, re.M | re.S)
    assert found, heading
    return [textwrap.dedent(text) for _, text in found]
