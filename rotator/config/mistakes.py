"""What is wrong, in words: pydantic's errors turned into mistakes that name the place and show an example."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from rotator.config import toml
from rotator.config.lines import Path
from rotator.config.tree import Place, every_table, place, tag

_SECRET_KEY = re.compile(
    r"secret|passw|token|private|credential|api_?key|routing_?key|assertion|jwt|(^|_)pem$", re.IGNORECASE
)
_WORDS = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "tuple_type": "must be a list",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "mapping_type": "must be a table",
    "dict_type": "must be a table",
}
_BAD_NAME = "is not a name: a letter or digit, then up to 63 letters, digits and . _ -"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake before it is known in which file and line it stands."""

    path: Path
    message: str
    example: str = ""


def explain(error: ValidationError) -> Iterator[Wrong]:
    """Every error of a failed validation, without the values that were given."""
    for item in error.errors(include_input=False, include_url=False, include_context=True):
        where = place(item["loc"])
        if item["type"] == "extra_forbidden":
            yield _unknown_key(where)
        elif item["type"] in ("union_tag_not_found", "union_tag_invalid"):
            yield _no_kind(where)
        else:
            yield Wrong(where.path, _words(item["type"], item["msg"], where), _example(where))


def _words(kind: str, message: str, where: Place) -> str:
    if kind == "string_pattern_mismatch" and where.option is None:
        return _BAD_NAME
    return _WORDS.get(kind) or message.removeprefix("Value error, ").replace("Input should be", "must be")


def _example(where: Place) -> str:
    if where.option is None:
        return ""
    name = next(part for part in reversed(where.path) if isinstance(part, str))
    return _shown(name, where.option)


def _shown(name: str, option: FieldInfo) -> str:
    return f"{name} = {toml.value(option.examples[0])}" if option.examples else ""


def _no_kind(where: Place) -> Wrong:
    key = tag(where.choices[0])[0]
    kinds = [tag(choice)[1] for choice in where.choices]
    return Wrong((*where.path, key), f"must be one of {', '.join(kinds)}", f'{key} = "{kinds[0]}"')


def _unknown_key(where: Place) -> Wrong:
    key = str(where.path[-1])
    known = where.table.model_fields
    if _SECRET_KEY.search(key) and not key.endswith("_file"):
        return Wrong(where.path, *_instead_of_secret(key, where.table))
    near = get_close_matches(key.lower(), known, n=1)
    if near:
        return Wrong(where.path, f"is unknown; did you mean {near[0]}?", _shown(near[0], known[near[0]]))
    home = next((path for path, table in every_table() if key in table.model_fields), None)
    if home is not None:
        there = toml.dotted((*home, key))
        return Wrong(where.path, f"does not belong here; there is {there}", "")
    return Wrong(where.path, f"is unknown; known here: {', '.join(known)}", "")


def _instead_of_secret(key: str, table: type[BaseModel]) -> tuple[str, str]:
    """The way by a file, in the same table where it knows one."""
    message = "a secret may not stand in the configuration: put it in a file that others may not read, and name it"
    wanted = f"{key.lower()}_file"
    if near := get_close_matches(wanted, here := _files(table), n=1):
        return message, _shown(near[0], here[near[0]])
    elsewhere = {name: (path, found) for path, other in every_table() for name, found in _files(other).items()}
    if near := get_close_matches(wanted, elsewhere, n=1):
        path, found = elsewhere[near[0]]
        return message, _shown(toml.dotted((*path, near[0])), found)
    return message, ""


def _files(table: type[BaseModel]) -> dict[str, FieldInfo]:
    return {name: found for name, found in table.model_fields.items() if name.endswith("_file") and name != "ca_file"}


def nearest(name: Any, known: Iterable[str]) -> str:
    """`; did you mean X?` where something near is known, else the list of what is."""
    names = list(known)
    near = get_close_matches(str(name), names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(names[:10])}" if names else ""
