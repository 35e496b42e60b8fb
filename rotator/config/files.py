"""Reading the configuration file and what stands beside it in conf.d, as one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from rotator.config.lines import Path, index
from rotator.config.toml import dotted
from rotator.domain.errors import Mistake

_SYNTAX_AT = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass
class Source:
    """One file: its text, its values, and the lines they stand on."""

    file: FilePath
    text: str
    values: dict[str, Any]
    before: dict[Path, int] = field(default_factory=dict)
    """How many entries of a list of tables stand in files read before this one."""

    @cached_property
    def lines(self) -> dict[Path, int]:
        """Line of each path, with places in lists as they are after all files were joined."""
        return {self._shifted(path): line for path, line in index(self.text).items()}

    def _shifted(self, path: Path) -> Path:
        name, *rest = path
        offset = self.before.get((name,), 0)
        if offset and rest and isinstance(rest[0], int):
            return (name, rest[0] + offset, *rest[1:])
        return path


@dataclass
class Joined:
    """All files as one: the values, what was wrong with the files themselves, and where each thing stands."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def at(self, path: Path) -> tuple[str, int | None]:
        """The file and line of a path, or of the nearest table around it."""
        for length in range(len(path), 0, -1):
            for source in self.sources:
                if line := source.lines.get(path[:length]):
                    return str(source.file), line
        return (str(self.sources[0].file) if self.sources else ""), None


def read(main: FilePath) -> Joined:
    """Read `main` and `conf.d/*.toml` beside it, in the order of their names.

    The files are taken as if one were written below the other: what TOML refuses to see twice
    in one file is refused twice in two, and both are named. Nothing is raised; see `mistakes`.
    """
    joined = Joined()
    for file in all_of(main):
        source = _read_one(file, joined.mistakes)
        if source is not None:
            _join(joined, source)
    return joined


def all_of(main: FilePath) -> tuple[FilePath, ...]:
    """`main` and what stands beside it, in the order in which they are read."""
    return (main, *_beside(main))


def _beside(main: FilePath) -> list[FilePath]:
    """None in a folder that this user may not look into; then `main` cannot be read either, which is said of it."""
    try:
        return sorted((main.parent / "conf.d").glob("*.toml"))
    except PermissionError:
        return []


def _read_one(file: FilePath, mistakes: list[Mistake]) -> Source | None:
    try:
        text = file.read_bytes().decode("utf-8")
        return Source(file, text, tomllib.loads(text))
    except FileNotFoundError:
        fix = "rotator --config FILE, or ROTATOR_CONFIG"
        mistakes.append(Mistake(str(file), None, "", "there is no such file", fix))
    except OSError as error:
        mistakes.append(Mistake(str(file), None, "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        mistakes.append(Mistake(str(file), line, "", "is not UTF-8 text"))
    except tomllib.TOMLDecodeError as error:
        mistakes.append(_syntax(file, str(error), text))
    return None


def _syntax(file: FilePath, message: str, text: str) -> Mistake:
    """A mistake in the TOML itself; of tomllib's message the place is kept, and words that quote nothing."""
    at = _SYNTAX_AT.search(message)
    line = int(at[1]) if at and at[1] else text.count("\n") + 1
    words = _SYNTAX_AT.sub("", message).strip()
    # tomllib quotes a character at most, but where it names keys the words could grow with a version.
    return Mistake(str(file), line, "", f"is not TOML: {words[:80]}", 'key = "text"')


def _join(joined: Joined, source: Source) -> None:
    source.before = {(k,): len(v) for k, v in joined.values.items() if isinstance(v, list)}
    for path in _merge(joined.values, source.values, (), joined, source):
        file, line = joined.at(path)
        here = source.lines.get(path)
        message = f"stands here and in {file}{f', line {line}' if line else ''}: keep one"
        joined.mistakes.append(Mistake(str(source.file), here, dotted(path), message))
    joined.sources.append(source)


def _merge(into: dict[str, Any], new: dict[str, Any], above: Path, joined: Joined, source: Source) -> Iterator[Path]:
    """Lay `new` over `into`; yields each path that both define."""
    for key, value in new.items():
        path = (*above, key)
        if key not in into:
            into[key] = value
        elif isinstance(value, dict) and isinstance(into[key], dict) and not _twice(path, joined, source):
            yield from _merge(into[key], value, path, joined, source)
        elif not above and _tables(value) and _tables(into[key]):
            into[key] = [*into[key], *value]
        else:
            yield path


def _twice(path: Path, joined: Joined, source: Source) -> bool:
    """Whether a table has a header of its own in this file and in one before."""
    return path in source.lines and any(path in other.lines for other in joined.sources)


def _tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
