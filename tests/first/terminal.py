"""A person at a terminal: reads what the program writes there, and types."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class Terminal:
    """One program with a terminal of its own. `said`: all that it wrote there."""

    def __init__(self, ours: int, process: subprocess.Popen[bytes]) -> None:
        self._ours, self._process = ours, process
        self.said, self._read = "", 0

    def sees(self, words: str, seconds: float = 60.0) -> None:
        """Waits until these words come, after all that was waited for before."""
        deadline = time.monotonic() + seconds
        while words not in self.said[self._read:]:
            assert time.monotonic() < deadline, f"never said {words!r}: {self.said}"
            assert self._more(), f"ended without {words!r}: {self.said}"
        self._read = self.said.index(words, self._read) + len(words)

    def types(self, text: str) -> None:
        """A line, and Enter."""
        os.write(self._ours, text.encode() + b"\n")

    def end(self) -> int:
        """Reads until the program has ended; gives its exit code."""
        while self._more():
            pass
        return self._process.wait(20)

    def _more(self) -> bool:
        if not select.select([self._ours], [], [], 0.2)[0]:
            return True
        try:
            part = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.said += part.decode(errors="replace").replace("\r\n", "\n")
        return bool(part)


@contextmanager
def terminal(command: Sequence[str], env: Mapping[str, str], folder: Path) -> Iterator[Terminal]:
    """The program at a terminal; killed in the end, should it still run."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(env), cwd=folder)
    os.close(theirs)
    try:
        yield Terminal(ours, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        os.close(ours)
