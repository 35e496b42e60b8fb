"""The option tables of docs/configuration.md, drawn from the options themselves.

Run as a program (`python -m tests.unit.config.reference`) it rewrites them in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from rotator.config import toml
from rotator.config.lines import Path as Path_
from rotator.config.tree import alternatives, every_table, tables, tag

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"
_BEGIN = "<!-- options: begin, drawn by tests/unit/config/reference.py -->"
_END = "<!-- options: end -->"


def drawn() -> str:
    """All tables, one per kind of table of the configuration; the first place of each stands for all."""
    first: dict[type[BaseModel], Path_] = {}
    for path, table in every_table():
        first.setdefault(table, path)
    return "\n".join(_table(path, table) for table, path in first.items())


def with_tables(text: str) -> str:
    """The document with the tables as they should be."""
    head, rest = text.split(_BEGIN)
    return f"{head}{_BEGIN}\n\n{drawn()}\n{_END}{rest.split(_END)[1]}"


def _table(path: Path_, table: type[BaseModel]) -> str:
    key, chosen = tag(table)
    name = toml.dotted(path).replace("[0]", "")
    written = f"[[{name}]]" if path[:1] == ("notify",) else f"[{name}]" if name else "top level"
    kind = f' with `{key} = "{chosen}"`' if key else ""
    rows = [_row(option, field) for option, field in table.model_fields.items() if option != key]
    return "\n".join([f"### `{written}`{kind}\n", "| option | default | what it is |", "|---|---|---|", *rows, ""])


def _row(name: str, field: Any) -> str:
    about = field.description.replace("|", "\\|")
    choices = [repr(c).replace("'", '"') for c in _choices(field.annotation)]
    if choices:
        about += f" (`{'`, `'.join(choices)}`)"
    return f"| `{name}` | {_default(field)} | {about} |"


def _choices(annotation: Any) -> list[Any]:
    return [c for kind in alternatives(annotation) for c in getattr(kind, "__args__", ()) if isinstance(c, str)]


def _default(field: Any) -> str:
    if field.is_required():
        example = field.examples[0]
        return f"**needed**, e.g. `{toml.value(example)}`"
    if field.default is None:
        return "absent"
    return "see below" if tables(field.annotation) else f"`{toml.value(field.default)}`"


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
