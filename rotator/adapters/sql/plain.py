"""Values of the domain as plain JSON values and back: for the columns of `rotations` and the evidence of the trail."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast

from rotator.adapters.sql.database import instant, moment
from rotator.domain.errors import InvariantBroken

T = TypeVar("T")


def plain(value: object) -> Any:
    """A value of the domain as JSON knows it. Raises InvariantBroken for anything else: a Secret above all."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, Mapping):
        return {clean(str(name)): plain(item) for name, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise InvariantBroken(f"a {type(value).__name__} must not stand in the database")


def clean(text: str) -> str:
    """The text without what a database cannot hold: NUL and halves of surrogate pairs become question marks."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def revive(kind: Any, value: Any) -> Any:
    """The value of this type (an annotation of the domain's) that `plain` made plain."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (UnionType, typing.Union):  # only `X | None` stands in the domain
        return None if value is None else revive(next(k for k in inner if k is not NoneType), value)
    if origin is tuple:
        return tuple(revive(inner[0], item) for item in value)
    if origin is dict:
        return {name: revive(inner[1], item) for name, item in value.items()}
    if kind is datetime:
        return instant(value)
    if kind is timedelta:
        return timedelta(seconds=value)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return build(kind, value)
    return kind(value)


def build(kind: type[T], values: Mapping[str, Any]) -> T:
    """The dataclass with these plain values; a field that an older version did not write gets its default."""
    kinds = hints(cast(Hashable, kind))
    return kind(**{name: revive(kinds[name], value) for name, value in values.items() if name in kinds})


@cache
def hints(kind: Any) -> dict[str, Any]:
    """The fields of a dataclass with their types."""
    return typing.get_type_hints(kind)
