"""The table of calls in docs/control.md, drawn from the routes.

Run as a program (`python -m tests.control.reference`) it rewrites the table in place.
"""

from __future__ import annotations

from pathlib import Path

from rotator.control.callers import Role
from rotator.control.routes import ROUTES

DOCUMENT = Path(__file__).parents[2] / "docs" / "control.md"
BEGIN = "<!-- calls: made by `python -m tests.control.reference`, a test compares it with the routes -->\n"
END = "<!-- /calls -->"


def drawn() -> str:
    """The table."""
    rows = [f"| `{r.method} {r.path}` | {'-' if r.role is Role.NONE else r.role.name.lower()} | {r.about} |"
            for r in ROUTES]  # fmt: skip
    return "\n".join(["| call | role | does |", "|---|---|---|", *rows, ""])


def with_table(text: str) -> str:
    """The document with the table as it should be."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}{drawn()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
