"""The table of docs/checks.md, made from the registry of checks: `python -m tests.project.checks` writes it anew."""

from __future__ import annotations

import re

from rotator.checks.registry import EVERY, Row
from tests.project.files import ROOT

PAGE = ROOT / "docs" / "checks.md"
START = "<!-- checks: made by `python -m tests.project.checks`, a test compares it with the registry -->"
END = "<!-- /checks -->"
HEAD = ("| id | looks at | fails | warns | before a rotation |", "|---|---|---|---|---|")
SENTENCES = "## The prerequisites, sentence by sentence"


def table() -> list[str]:
    """The lines of the table: one per row of the registry, in the order in which `check` tells them."""
    return [*HEAD, *(f"| {' | '.join(cells(row))} |" for row in EVERY)]


def cells(row: Row[object]) -> list[str]:
    """What stands in a line."""
    told = (row.id, row.looks_at, row.fails, row.warns, "yes" if row.first else "")
    return [cell.replace("|", "\\|") for cell in told]


def split(text: str) -> tuple[str, list[str], str]:
    """Takes the page apart: before the table, its lines, after it. Raises ValueError where a marker is missing."""
    before, rest = text.split(START + "\n")
    lines, after = rest.split(END)
    return before, lines.splitlines(), after


def sentences(text: str) -> list[tuple[str, str]]:
    """The sentences of the prerequisites with what answers each: ids of checks, or `no check: ` and the reason."""
    found = re.findall(r"^\| (.+?) \| (.+?) \|$", text.split(SENTENCES)[1], re.MULTILINE)
    return [(sentence, answer) for sentence, answer in found if sentence not in ("sentence", "---")]


def main() -> None:
    """Writes the table into docs/checks.md."""
    before, _, after = split(PAGE.read_text())
    PAGE.write_text("\n".join([before + START, *table(), END + after]))


if __name__ == "__main__":
    main()
