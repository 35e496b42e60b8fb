"""The log: one line per event, made of names and plain values from two lists; nothing else can get in (invariant 12).

Three nets lie under each other. The lists: an event is a `Word`, a field one of `Fields` (mypy refuses others; at run
time they are dropped and counted in `dropped`). The values: a Secret becomes its mask, an object its type's name, so
no foreign `repr` ever runs. The shapes: what looks like a token or a consumer secret is masked in any text.

Other libraries' records pass only from WARNING up, at every level of ours, and without their text: httpx writes whole
URLs, httpcore headers, hvac response bodies. An exception is told by its class; only our own errors bring words.

    log = get("saga")
    log.info(Word.STEP, app="billing", step="stage", outcome="ok", duration_ms=212)

Importing this module is cheap: structlog is loaded by `set_up` (it takes a quarter of a second).
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO, Unpack, cast, final

from rotator.domain.errors import RotatorError, UsageError
from rotator.log_words import FIELDS, Fields, Word, clean, plain, told

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor

__all__ = ["LEVELS", "Fields", "Logger", "Word", "about", "get", "set_up"]

LEVELS = ("debug", "info", "warning", "error")
QUIET = ("httpx", "httpcore", "urllib3", "requests", "hvac", "sqlalchemy", "alembic", "apscheduler", "asyncio")

_about: ContextVar[Fields] = ContextVar("rotator_log_about")


@final
class AllowList:
    """The structlog processor that everything passes: names from the lists, plain values, and a count of the rest."""

    def __init__(self, *, frames: bool) -> None:
        self._frames = frames

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        word, given, error = event["event"], event.get("fields", {}), event.get("error")
        kept = {name: plain(value) for name, value in given.items() if name in FIELDS}
        line: EventDict = {"ts": event["timestamp"], "level": event["level"], "logger": clean(event.get("name", ""))}
        line["event"] = word.value if isinstance(word, Word) else Word.UNNAMED.value
        if isinstance(error, BaseException):
            line.update({name: plain(value) for name, value in told(error, frames=self._frames).items()})
        line.update(kept)
        if len(given) > len(kept):
            line["dropped"] = len(given) - len(kept)
        return line


def as_json(_logger: object, _method: str, line: EventDict) -> str:
    """One JSON object, ASCII: no terminal and no pipe can be upset by it."""
    return json.dumps(line, default=lambda value: f"<{type(value).__name__}>")


def as_journal(logger: object, method: str, line: EventDict) -> str:
    """JSON behind the priority that journald reads from the start of a line (sd-daemon(3))."""
    return f"<{ {'debug': 7, 'info': 6, 'warning': 4, 'error': 3}[line['level']] }>" + as_json(logger, method, line)


def as_words(_logger: object, _method: str, line: EventDict) -> str:
    """A line for a person: time, level, event, then name=value."""
    said = [f"{name}={_word(value)}" for name, value in line.items() if name not in ("ts", "level", "event", "logger")]
    return " ".join([line["ts"][11:19] + "Z", f"{line['level']:<7}", line["event"], *said])


def _word(value: object) -> str:
    bare = isinstance(value, str) and re.fullmatch(r"[^\s\"=]+", value)
    return str(value) if bare else json.dumps(value, ensure_ascii=False)


@final
class Lines:
    """The end of the pipeline: writes whole lines. A log that cannot be written (full disk, closed pipe) never stops
    a rotation: the line is lost, and the loss stands in `lost` of the next line that gets through."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lock, self.lost = stream, threading.Lock(), 0

    def info(self, line: str) -> None:
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
                self.lost = 0  # told in this line
            except (OSError, ValueError):  # ValueError: the stream is closed
                self.lost += 1

    debug = warning = error = info

    def tell_lost(self, _logger: object, _method: str, line: EventDict) -> EventDict:
        if self.lost:
            line["lost"] = self.lost
        return line


_sink: FilteringBoundLogger | None = None  # where all loggers write; none before `set_up`, and then nothing is written


def _write(level: str, name: str, word: Word, fields: Mapping[str, object], error: BaseException | None) -> None:
    if _sink is not None:
        getattr(_sink, level)(word, name=name, fields={**_about.get(Fields()), **fields}, error=error)


@final
class Logger:
    """Writes events under one name. Silent until `set_up` has run."""

    __slots__ = ("_bound", "_name")

    def __init__(self, name: str, bound: Fields | None = None) -> None:
        self._name, self._bound = name, bound or Fields()

    def bind(self, **fields: Unpack[Fields]) -> Logger:
        """The same logger, with these fields in each line."""
        return Logger(self._name, cast("Fields", {**self._bound, **fields}))

    def debug(self, word: Word, /, *, error: BaseException | None = None, **fields: Unpack[Fields]) -> None:
        _write("debug", self._name, word, {**self._bound, **fields}, error)

    def info(self, word: Word, /, *, error: BaseException | None = None, **fields: Unpack[Fields]) -> None:
        _write("info", self._name, word, {**self._bound, **fields}, error)

    def warning(self, word: Word, /, *, error: BaseException | None = None, **fields: Unpack[Fields]) -> None:
        _write("warning", self._name, word, {**self._bound, **fields}, error)

    def error(self, word: Word, /, *, error: BaseException | None = None, **fields: Unpack[Fields]) -> None:
        _write("error", self._name, word, {**self._bound, **fields}, error)


def get(name: str) -> Logger:
    """A logger for a part of the product: `saga`, `vault`, `salesforce`, `sql`, `daemon`, ..."""
    return Logger(name)


@contextmanager
def about(**fields: Unpack[Fields]) -> Iterator[None]:
    """Every line written inside, by whatever logger in this thread, carries these fields (app, rotation_id)."""
    token = _about.set(cast("Fields", {**_about.get(Fields()), **fields}))
    try:
        yield
    finally:
        _about.reset(token)


def in_journal(env: Mapping[str, str], stream: TextIO) -> bool:
    """Is this stream the journal? systemd names its device and inode in JOURNAL_STREAM (systemd.exec(5))."""
    try:
        seen = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return env.get("JOURNAL_STREAM") == f"{seen.st_dev}:{seen.st_ino}"


@final
class Border(logging.Handler):
    """Where other libraries' records come in: from WARNING up, whatever level they set for themselves; by logger and
    place in the source, never by text or arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            return
        level = "error" if record.levelno >= logging.ERROR else "warning"
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.module}:{record.funcName}:{record.lineno}"
        _write(level, "library", Word.LIBRARY, {"library": record.name, "place": place}, error)


def set_up(
    level: str = "info",
    *,
    env: Mapping[str, str] = os.environ,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    stdout_taken: bool = False,
) -> ExitStack:
    """Starts the log, for the whole process; closing what it gives back undoes that (tests).

    `level` is one of LEVELS; UsageError otherwise. Under systemd: JSON with priorities on standard output, or on
    standard error where the output is taken by a document (`--json`). Else standard error: words on a terminal, JSON
    in a pipe. From then on other libraries' loggers, warnings and uncaught exceptions end in the same lines.
    """
    if level not in LEVELS:
        raise UsageError(f"no log level {clean(level)!r}", fix=f"--log-level takes one of {', '.join(LEVELS)}")
    out, err = stdout or sys.stdout, stderr or sys.stderr
    undo = ExitStack()
    if in_journal(env, out) and not stdout_taken:
        _open_sink(undo, level, out, as_journal)
    elif in_journal(env, err):
        _open_sink(undo, level, err, as_journal)
    else:
        _open_sink(undo, level, err, as_words if err.isatty() else as_json)
    _guard_border(undo)
    _guard_crashes(undo)
    return undo


def _open_sink(undo: ExitStack, level: str, stream: TextIO, render: Callable[[object, str, EventDict], str]) -> None:
    global _sink
    import structlog

    end = Lines(stream)
    stamps: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    undo.callback(_restore, _sink)
    _sink = structlog.wrap_logger(
        end,
        processors=[*stamps, AllowList(frames=level == "debug"), end.tell_lost, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
        cache_logger_on_first_use=False,
    ).bind()


def _restore(sink: FilteringBoundLogger | None) -> None:
    global _sink
    _sink = sink


def _put(undo: ExitStack, place: Any, name: str, value: object) -> None:
    undo.callback(setattr, place, name, getattr(place, name))
    setattr(place, name, value)


def _guard_border(undo: ExitStack) -> None:
    """One handler at the root, and none below it; a failing handler must not print a record's arguments either."""
    root = logging.getLogger()
    for logger in (root, *map(logging.getLogger, QUIET)):
        _put(undo, logger, "handlers", [Border()] if logger is root else [])
        undo.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.WARNING)
        _put(undo, logger, "propagate", True)
    _put(undo, logging, "raiseExceptions", False)
    _put(undo, warnings, "showwarning", _warned)


def _warned(_text: object, kind: type[Warning], file: str, line: int, *_more: object) -> None:
    _write("warning", "library", Word.LIBRARY, {"library": kind.__name__, "place": f"{file}:{line}"}, None)


def _guard_crashes(undo: ExitStack) -> None:
    """The interpreter's own tracebacks print exception texts: these hooks do not."""

    def crashed(error: BaseException | None) -> None:
        fix = "a defect: run it again with --log-level debug and report the lines"
        explained = isinstance(error, RotatorError | KeyboardInterrupt)
        _write("error", "rotator", Word.CRASHED, {} if explained else {"fix": fix}, error)

    _put(undo, sys, "excepthook", lambda _kind, error, _trace: crashed(error))
    _put(undo, sys, "unraisablehook", lambda seen: crashed(seen.exc_value))
    _put(undo, threading, "excepthook", lambda seen: crashed(seen.exc_value))
