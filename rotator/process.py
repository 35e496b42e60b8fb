"""The process itself: what it denies to others, how it stops, and its clock.

A process that holds secrets writes no core file, lets nobody read its memory, and makes no file that others may read.
A stop is asked for once and politely (SIGTERM, SIGINT: the step in hand is finished, sleeps end early), the second
time it is obeyed at once: a rotation survives that as it survives SIGKILL (invariant 9).
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import SystemRandom
from types import FrameType, MappingProxyType
from typing import final

from rotator.domain.errors import UsageError

GRACE = 60.0  # seconds for the step in hand after the first signal (protocol section 4: Process)
TRY_AGAIN = 75  # exit code of what parks (contract.md: Exit codes)
PR_SET_DUMPABLE = 4  # linux/prctl.h
STARTED_AS = os.getuid()  # whoever this process becomes later (rotator.cli.owner)
_system_random = SystemRandom().random


def _no_core() -> bool:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return True


def _not_dumpable() -> bool:
    """Keeps other processes of the same user from /proc/PID/mem and ptrace; also stops cores piped to a program,
    which ignore the limit (core(5))."""
    try:
        done: int = ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):  # no prctl: not Linux
        return False
    return done == 0


PROTECTIONS: Mapping[str, Callable[[], bool]] = MappingProxyType({
    "core files cannot be switched off": _no_core,
    "memory can be read by other processes of this user": _not_dumpable,
})  # fmt: skip


def harden(protections: Mapping[str, Callable[[], bool]] = PROTECTIONS) -> tuple[str, ...]:
    """Call it first, before any secret is read. Gives the protections that this system denied, in words (none: ())."""
    os.umask(0o077)
    return tuple(words for words, protect in protections.items() if not protect())


@final
class Stop:
    """A request to stop, for all threads. A pipe and not a `threading.Event`: a signal handler that sets an Event can
    deadlock with the thread it interrupted, a write to a pipe cannot. Nobody reads the byte, so it wakes all."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self._signal = 0
        self._requested = False

    @property
    def requested(self) -> bool:
        return self._requested

    @property
    def signal(self) -> int:
        """The signal that asked; 0 where none did."""
        return self._signal

    def request(self, number: int = 0) -> None:
        """Asks all to stop; a second time changes nothing. Safe in a signal handler."""
        if not self._requested:
            self._requested, self._signal = True, number
            os.write(self._write, b"\0")

    def wait(self, seconds: float) -> bool:
        """Waits at most so long; True as soon as a stop is requested."""
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        deadline = time.monotonic() + seconds
        while not self._requested and (left := deadline - time.monotonic()) > 0:
            poll.poll(min(left, 3600.0) * 1000)
        return self._requested

    def close(self) -> None:
        """Gives the pipe back; nobody may wait any more."""
        os.close(self._read)
        os.close(self._write)


@final
class Hangup:
    """SIGHUP: a request to read the configuration again. For the main thread only."""

    def __init__(self) -> None:
        self._asked = False

    def ask(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Asks. Safe in a signal handler."""
        self._asked = True

    def taken(self) -> bool:
        """Whether it was asked since the last call."""
        asked, self._asked = self._asked, False
        return asked

    @contextmanager
    def caught(self) -> Iterator[None]:
        """While inside, the signal asks."""
        before = signal.signal(signal.SIGHUP, self.ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGHUP, before or signal.SIG_DFL)


@contextmanager
def signals(stop: Stop, *, grace: float = GRACE, leave: Callable[[int], object] = os._exit) -> Iterator[None]:
    """Turns SIGTERM and SIGINT into a stop request, while inside. The second signal, or `grace` seconds after the
    first, leaves with exit code 75. `os._exit`, because threads in the midst of a call must not hold the process.

    For the main thread only; raises UsageError in another.
    """

    def asked(number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            leave(TRY_AGAIN)
        else:
            stop.request(number)
            signal.setitimer(signal.ITIMER_REAL, grace)

    def overdue(_number: int, _frame: FrameType | None) -> None:
        leave(TRY_AGAIN)

    try:
        before = [(number, signal.signal(number, asked)) for number in (signal.SIGTERM, signal.SIGINT)]
        before.append((signal.SIGALRM, signal.signal(signal.SIGALRM, overdue)))
    except ValueError:
        raise UsageError("signals reach the main thread only", fix="start it from the main thread") from None
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before:
            signal.signal(number, handler or signal.SIG_DFL)  # None: somebody set it outside Python


@final
class SystemClock:
    """`ports.Clock` over the system. After a stop request every sleep returns at once: a loop that sleeps must ask
    `stop.requested`, or be bounded."""

    def __init__(self, stop: Stop, *, random: Callable[[], float] = _system_random) -> None:
        self._stop, self._random = stop, random

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def jitter(self) -> float:
        return self._random()
