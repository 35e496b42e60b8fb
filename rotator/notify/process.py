"""Runs a program of the configuration, without a shell, for a bounded time; its output is counted and thrown away."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rotator.domain.errors import ConfigError

SLICE = 0.1  # seconds between two looks whether it has ended, or must
MERCY = 2.0  # seconds between SIGTERM and SIGKILL
PIECE = 65_536  # bytes of one read


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended. `status`: its exit status, negative for a signal. The output itself may hold others' secrets."""

    status: int
    seconds: float
    bytes_out: int
    bytes_err: int
    late: bool = False  # killed at its time limit
    stopped: bool = False  # killed because we were told to stop


class _Running:
    def __init__(self, process: subprocess.Popen[bytes], monotonic: Callable[[], float]) -> None:
        self.process, self.monotonic, self.began = process, monotonic, monotonic()
        self.counts = {"out": 0, "err": 0}
        self._selector = selectors.DefaultSelector()
        for name, pipe in (("out", process.stdout), ("err", process.stderr)):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, selectors.EVENT_READ, name)

    @property
    def seconds(self) -> float:
        return self.monotonic() - self.began

    def follow(self, until: Callable[[], bool]) -> None:
        """Empties its pipes until it ends or `until` says so."""
        while self.process.poll() is None and not until():
            self._read(SLICE)
        self._read(0)

    def _read(self, wait: float) -> None:
        for key, _ in self._selector.select(wait):
            with contextlib.suppress(OSError):
                piece = os.read(key.fd, PIECE)
                self.counts[key.data] += len(piece)
                if not piece:
                    self._selector.unregister(key.fileobj)

    def kill(self) -> None:
        """Ends it and all that it started, first politely; the second signal is for what outlived it."""
        for number, mercy in ((signal.SIGTERM, MERCY), (signal.SIGKILL, MERCY)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)
            end = self.monotonic() + mercy
            self.follow(lambda end=end: self.monotonic() >= end)  # type: ignore[misc] # bound at once

    def close(self) -> None:
        self._selector.close()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def run(arguments: Sequence[str], env: Mapping[str, str], limit: float, stopped: Callable[[], bool],
        monotonic: Callable[[], float]) -> Ran:
    """Runs it in a session of its own, with this environment and nothing on its standard input, for at most `limit`
    seconds. Raises ConfigError where it cannot be started."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the owner of the configuration names the program; no shell
            list(arguments), env=dict(env), cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its arguments cannot be passed"
        raise ConfigError(f"{arguments[0]} cannot be started: {why}", fix="name an executable file that the rotator"
                          " may run, by its absolute path") from None
    running = _Running(process, monotonic)
    try:
        running.follow(lambda: stopped() or running.seconds >= limit)
        ended = process.poll() is not None
        late, halted = not ended and running.seconds >= limit, not ended and running.seconds < limit
        if not ended:
            running.kill()
        return Ran(process.wait(), running.seconds, running.counts["out"], running.counts["err"], late, halted)
    finally:
        running.close()
