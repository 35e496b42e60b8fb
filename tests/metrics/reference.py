"""The table of docs/metrics.md, drawn from a page on which every metric stands.

Run as a program (`python -m tests.metrics.reference`) it rewrites the table in place.
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from rotator.metrics.render import render
from tests.metrics.samples import FULL, busy

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
_BEGIN = "<!-- metrics: begin, drawn by tests/metrics/reference.py -->"
_END = "<!-- metrics: end -->"
_OF_A_BUCKET = {"le"}


def drawn() -> str:
    """One line per metric: name, labels, kind, and what it is."""
    rows = ["| metric | kind | labels | what it is |", "|---|---|---|---|"]
    for family in text_string_to_metric_families(render(FULL, busy())[0].decode()):
        if family.name.startswith("rotator_") and not family.name.endswith("_created"):
            labels = sorted({label for sample in family.samples for label in sample.labels} - _OF_A_BUCKET)
            name = f"{family.name}_total" if family.type == "counter" else family.name
            told = ", ".join(f"`{label}`" for label in labels) or "-"
            rows.append(f"| `{name}` | {family.type} | {told} | {family.documentation} |")
    return "\n".join(rows) + "\n"


def with_table(text: str) -> str:
    """The document with the table as it should be."""
    head, rest = text.split(_BEGIN)
    return f"{head}{_BEGIN}\n\n{drawn()}\n{_END}{rest.split(_END)[1]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
