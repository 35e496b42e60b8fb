"""The line scanner against tomllib."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.config.lines import Path, index

_KEYS = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), st.text(alphabet='a.#"[]{}= \té', max_size=4))
_TEXT = st.text(alphabet="ab#=[]{},.'\" é\t\n\\", max_size=12)
_SCALARS = st.one_of(_TEXT, st.booleans(), st.integers(-99, 99))
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)
_TABLES = st.lists(st.tuples(st.booleans(), _KEYS, st.dictionaries(_KEYS, _VALUES, max_size=4)), max_size=4)


class Writer:
    """Writes TOML in a style drawn by hypothesis and notes the line of every key and entry."""

    def __init__(self, data: st.DataObject) -> None:
        self.text = ""
        self.lines: dict[Path, int] = {}
        self._data = data

    def choose(self, *options: str) -> str:
        return self._data.draw(st.sampled_from(options))

    def mark(self, path: Path) -> None:
        self.lines[path] = self.text.count("\n") + 1

    def header(self, path: Path, name: str, many: bool) -> None:
        self.text += self.choose("", "\n", "# [a]\n", "  ")
        self.mark(path)
        self.text += f"[[ {self.key(name)} ]]" if many else f"[{self.key(name)} ]"
        self.text += self.choose("\n", " # = [x]\n", "\r\n")

    def pair(self, path: Path, value: Any) -> None:
        self.mark(path)
        self.text += self.key(str(path[-1])) + self.choose("=", " = ", "\t=")
        self.value(path, value)

    def key(self, name: str) -> str:
        if (
            name.isascii()
            and name.replace("-", "").replace("_", "").isalnum()
            and self.choose("bare", "quoted") == "bare"
        ):
            return name
        return f"'{name}'" if "'" not in name and self.choose("'", '"') == "'" else json.dumps(name)

    def value(self, path: Path, value: Any) -> None:
        if isinstance(value, dict):
            self.inline(path, value)
        elif isinstance(value, list):
            self.array(path, value)
        else:
            self.text += self.string(value) if isinstance(value, str) else json.dumps(value)

    def string(self, value: str) -> str:
        style = self.choose("basic", "literal", "long", "long literal")
        if style == "literal" and not set(value) & set("'\n"):
            return f"'{value}'"
        if style == "long literal" and "'" not in value:
            return f"'''\n{value}'''"
        if style == "long":
            return '"""' + value.replace("\\", "\\\\").replace('"""', '""\\"').replace("\r", "\\r") + self.tail(value)
        return json.dumps(value)

    def tail(self, value: str) -> str:
        return ' """' if value.endswith('"') else '"""'

    def array(self, path: Path, value: list[Any]) -> None:
        self.text += "["
        for place, item in enumerate(value):
            self.text += self.choose("", " ", "\n", " # ]\n")
            self.mark((*path, place))
            self.value((*path, place), item)
            self.text += self.choose(",", " ,", "\n,") if place < len(value) - 1 else self.choose("", ",", ",\n")
        self.text += "]"

    def inline(self, path: Path, value: dict[str, Any]) -> None:
        self.text += "{"
        for place, (name, item) in enumerate(value.items()):
            self.text += self.choose("", " ")
            self.pair((*path, name), item)
            self.text += "," if place < len(value) - 1 else self.choose("", " ")
        self.text += "}"


@settings(deadline=None, max_examples=150)
@given(tables=_TABLES, data=st.data())
def test_every_key_is_found_on_the_line_it_was_written_on(
    tables: list[tuple[bool, str, dict[str, Any]]], data: st.DataObject
) -> None:
    """Whatever the style (quotes, comments, long strings, inline tables), no key is missed, misplaced or invented."""
    writer = Writer(data)
    seen: dict[str, int] = {}
    for many, name, pairs in tables:
        many = many if name not in seen else seen[name] >= 0  # a name keeps its kind
        if name in seen and not many:
            continue
        seen[name] = seen.get(name, -1) + 1 if many else -1
        path: Path = (name, seen[name]) if many else (name,)
        writer.header(path, name, many)
        for key, value in pairs.items():
            writer.pair((*path, key), value)
            writer.text += writer.choose("\n", " # {\n")
    parsed = tomllib.loads(writer.text)
    assert index(writer.text) == writer.lines
    assert set(_leaves(parsed, ())) <= set(writer.lines)


def _leaves(value: Any, path: Path) -> list[Path]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [leaf for key, item in inside for leaf in _leaves(item, (*path, key))]
    return below or ([path] if path else [])


def test_dotted_keys_and_nested_headers_are_placed() -> None:
    """Dotted keys give the path of the leaf; a header below an array of tables belongs to its newest entry."""
    text = 'a.b . "c.d" = 1\n[x.y]\nk = 1979-05-27 07:32:00 # t\n[[n]]\n[n.s]\nv = 1\n[[n]]\n[n.s]\nv = 2\n'
    assert index(text) == {
        ("a", "b", "c.d"): 1,
        ("x", "y"): 2,
        ("x", "y", "k"): 3,
        ("n", 0): 4,
        ("n", 0, "s"): 5,
        ("n", 0, "s", "v"): 6,
        ("n", 1): 7,
        ("n", 1, "s"): 8,
        ("n", 1, "s", "v"): 9,
    }
