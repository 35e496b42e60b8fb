"""`assert_silent`: no sink of a run holds a secret (invariant 12). For tests that run the whole product at DEBUG.

    seen = observe(process)                      # argv and environment of the family while it ran
    assert_silent(
        {"stdout": out, "log": err, "database": Path("rotator.db"), "state": Path("state"), **seen},
        {"old secret": old, "new secret": new, "canary token": token},
    )

A sink that cannot be read, is missing or is empty is an error: it would prove nothing.
"""

from __future__ import annotations

import subprocess
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.canary.scanner import Finding, Scanner

Sink = bytes | str | Path | BaseException
FILE_CAP = 512 << 20  # bytes; a larger file is not searched, which is an error
SQLITE_SIDES = ("-wal", "-shm", "-journal")
ELF_CORE = (b"\x7fELF", 4)  # magic, and e_type ET_CORE at offset 16 (elf(5))


class CannotLookError(Exception):
    """A sink could not be searched; the message says which and why. Give one that can be."""


def assert_silent(sinks: Mapping[str, Sink], secrets: Mapping[str, str]) -> dict[str, int]:
    """Fails where any sink holds any of the secrets, in any encoding; the failure names the secret and never shows it.

    A Path is a file (with the side files of SQLite) or a folder (all below it, file names too, and no core file).
    Gives what was searched, as name -> bytes. Raises CannotLookError, or ValueError for secrets that prove nothing.
    """
    __tracebackhide__ = True
    scanner = Scanner(secrets)
    if not sinks:
        raise CannotLookError("no sinks were given")
    looked: dict[str, int] = {}
    found: list[Finding] = []
    for name, sink in sinks.items():
        for where, data in contents(name, sink):
            looked[where] = len(data)
            found += [*scanner.scan(data, where), *_core(where, data)]
    if found:
        raise AssertionError("not silent:\n" + "\n".join(f"  {finding}" for finding in found))
    return looked


def contents(name: str, sink: Sink) -> Iterator[tuple[str, bytes]]:
    """The parts of a sink, each with its name."""
    if isinstance(sink, Path):
        yield from _below(name, sink) if sink.is_dir() else _file(name, sink)
        return
    text = exception_text(sink) if isinstance(sink, BaseException) else sink
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if not data:
        raise CannotLookError(f"{name} is empty: it proves nothing")
    yield name, data


def _file(name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    sides = [path.with_name(path.name + side) for side in SQLITE_SIDES]
    for file in [path, *(side for side in sides if side.exists())]:
        where = name if file == path else f"{name} ({file.name})"
        data = _read(where, file)
        if not data and file == path:
            raise CannotLookError(f"{where} is empty: it proves nothing")
        yield where, data


def _below(name: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    paths = sorted(folder.rglob("*"))
    if not paths:
        raise CannotLookError(f"{name}: the folder is empty, it proves nothing")
    links = [f"{path} -> {path.readlink()}" for path in paths if path.is_symlink()]
    yield f"{name}: names", "\n".join([*map(str, paths), *links]).encode("utf-8", "surrogateescape")
    for path in paths:
        if path.is_file() and not path.is_symlink():
            yield f"{name}: {path.relative_to(folder)}", _read(name, path)


def _read(name: str, path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_CAP:
            raise CannotLookError(f"{name}: {path} is too large to search")
        return path.read_bytes()
    except OSError as error:
        raise CannotLookError(f"{name}: {path}: {error.strerror}") from None


def _core(where: str, data: bytes) -> list[Finding]:
    """A core file holds the memory of its process: it is a leak, whatever the search says."""
    magic, kind = ELF_CORE
    little = data[5:6] != b"\2"
    is_core = data.startswith(magic) and int.from_bytes(data[16:18], "little" if little else "big") == kind
    return [Finding("memory", where, "core file", 0)] if is_core else []


def exception_text(error: BaseException) -> str:
    """All that a printer may print of an exception: its traceback with notes, and text, `repr` and arguments of it and
    of each cause that is not suppressed. No local variables: nothing of ours prints those."""
    parts, chain = traceback.format_exception(error), [error]
    for one in chain:
        parts += [str(one), repr(one), repr(one.args)]
        following = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        group = list(one.exceptions) if isinstance(one, BaseExceptionGroup) else []
        chain += [e for e in [following, *group] if e is not None and not any(e is seen for seen in chain)]
    return "\n".join(parts)


def process_sinks(pid: int) -> dict[str, bytes]:
    """Command line, name and environment of a process and all that it started, as others may read them now. A process
    that has ended by then is left out; one that denies the look raises CannotLookError (root may always look)."""
    found: dict[str, bytes] = {}
    for member in _family(pid):
        for part in ("cmdline", "comm", "environ"):
            try:
                data = Path(f"/proc/{member}/{part}").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            except OSError as error:
                raise CannotLookError(f"/proc/{member}/{part}: {error.strerror}") from None
            if data:
                found[f"{part} of {member}"] = data
    return found


def _family(pid: int) -> list[int]:
    family = [pid]
    for member in family:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                family += [int(child) for child in children.read_text().split()]
            except OSError:  # the thread has ended
                continue
    return family


def observe(process: subprocess.Popen[bytes], *, every: float = 0.02, timeout: float = 60.0) -> dict[str, bytes]:
    """Looks again and again until the process has ended; a process may change its command line, and its children may
    be short. Its pipes must not fill up meanwhile: let it write to files. Raises CannotLookError at the timeout."""
    found: dict[str, bytes] = {}
    deadline = time.monotonic() + timeout
    while process.poll() is None:
        for name, data in process_sinks(process.pid).items():
            if data not in found.get(name, b""):
                found[name] = found.get(name, b"") + data + b"\n"
        if time.monotonic() > deadline:
            raise CannotLookError(f"process {process.pid} has not ended after {timeout:.0f} s")
        time.sleep(every)
    return found


def core_limit(pid: int) -> tuple[str, str]:
    """Soft and hard limit of core files of a running process, as the kernel tells them: ("0", "0") where it wrote
    `LimitCORE=0` for itself."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    words = next(line for line in lines if line.startswith("Max core file size")).split()
    return words[4], words[5]
