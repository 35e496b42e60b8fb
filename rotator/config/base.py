"""What every table of the configuration shares: strictness, and the types its values are made of."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictStr,
    WithJsonSchema,
)

from rotator.config.durations import PATTERN, parse_duration, write_duration

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LOOKS_SECRET = re.compile(r"-----BEGIN|^hv[sbr]\.|^[sbr]\.[A-Za-z0-9]{24}")
_SEGMENT = re.compile(r"[A-Za-z0-9_.@+=:-]+")


class Table(BaseModel):
    """A table of the configuration: frozen, no unknown key, and no value ever repeated in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def option(default: Any = ..., *, about: str, example: Any = None, **more: Any) -> Any:
    """One option: its default (none: it must be given), what it is about, and how it looks.

    `about` goes to docs/configuration.md and the JSON schema, `example` to the mistakes that name this key.
    """
    shown = default if example is None else example
    if isinstance(default, timedelta):  # pydantic would describe it as PT24H
        shown = write_duration(default)
        more["json_schema_extra"] = {"default": shown}
    examples = None if shown is ... else [shown]
    return Field(default, description=about, examples=examples, **more)


def _clean(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("holds a control character")
    return text


def _file_name(name: str) -> str:
    if _LOOKS_SECRET.search(name):
        raise ValueError("looks like the secret itself: put it in a file and name that file here")
    if ".." in name.split("/"):
        raise ValueError("may not climb with `..`: give the whole path")
    return _clean(name)


def _needed(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _absolute(path: str) -> str:
    if not path.startswith("/") or re.search(r"[?#%]", path):
        raise ValueError("must be an absolute path without ?, # and %")
    return _clean(path)


def _vault_path(path: str) -> str:
    _needed(path)
    segments = path.split("/")
    if any(not _SEGMENT.fullmatch(segment) or segment in (".", "..") for segment in segments):
        raise ValueError(
            "must be names joined by single slashes, without one at either end (letters, digits and _ . @ + = : -)"
        )
    return path


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["500ms", "30s", "15m", "24h", "30d"]}),
]
Text = Annotated[StrictStr, AfterValidator(_clean)]
Needed = Annotated[Text, AfterValidator(_needed)]
Absolute = Annotated[StrictStr, AfterValidator(_absolute)]
FileName = Annotated[StrictStr, AfterValidator(_file_name)]
NeededFile = Annotated[FileName, AfterValidator(_needed)]
VaultPath = Annotated[StrictStr, AfterValidator(_vault_path)]
# A name of ours becomes a segment of the escrow path and an argument on a command line.
Name = Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
