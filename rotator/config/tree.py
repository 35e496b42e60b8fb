"""Walking the tables of the configuration: which option stands where, and what may stand beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rotator.config.lines import Path
from rotator.config.models import Config


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the configuration: its path as written in TOML, its option, the table it stands in."""

    path: Path
    option: FieldInfo | None
    table: type[BaseModel]
    choices: tuple[type[BaseModel], ...] = ()
    """The kinds of table that may stand here, where there is more than one."""


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation allows, without `Annotated` and `None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return alternatives(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(kind for part in get_args(annotation) for kind in alternatives(part))
    return () if annotation is NoneType else (annotation,)


def tables(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The kinds of table that an annotation allows."""
    return tuple(kind for kind in alternatives(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel))


def tag(table: type[BaseModel]) -> tuple[str, str]:
    """The key and the value that tell a kind of table from its siblings: `method`, `approle`."""
    for name, field in table.model_fields.items():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            return name, get_args(field.annotation)[0]
    return "", ""


def place(loc: Sequence[str | int]) -> Place:
    """Turn a pydantic error's `loc` into a place: pydantic adds the names of chosen alternatives, TOML knows none."""
    here: Any = Config
    path: Path = ()
    option: FieldInfo | None = None
    table: type[BaseModel] = Config
    for part in loc:
        if part == "[key]":  # pydantic's mark for a wrong name of a table
            return Place(path, None, table)
        kinds = tables(here)
        if len(kinds) > 1:
            here = next((kind for kind in kinds if tag(kind)[1] == part), None)
        elif kinds:
            table = kinds[0]
            option = table.model_fields.get(str(part))
            path, here = (*path, part), option.annotation if option else None
        else:
            path, here = (*path, part), _inside(here)
    kinds = tables(here)
    return Place(path, option, table, kinds if len(kinds) > 1 else ())


def _inside(annotation: Any) -> Any:
    """What stands in a mapping or a list."""
    for kind in alternatives(annotation):
        arguments = get_args(kind)
        if arguments:
            return arguments[0] if get_origin(kind) is tuple else arguments[-1]
    return None


def every_table(root: type[BaseModel] = Config, path: Path = ()) -> Iterator[tuple[Path, type[BaseModel]]]:
    """Every kind of table with the path it may stand at; `NAME` for a name of the user's, 0 for a list entry."""
    yield path, root
    for name, field in root.model_fields.items():
        here: Any = field.annotation
        below: Path = (*path, name)
        if not tables(here) and (inner := tables(_inside(here))):
            below = (*below, 0 if get_origin(alternatives(here)[0]) is tuple else "NAME")
            here = Union[inner]  # noqa: UP007 - built at run time
        for kind in tables(here):
            yield from every_table(kind, below)
