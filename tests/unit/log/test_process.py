"""The process hides its memory, stops on request, and sleeps no longer than it must."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotator import ports
from rotator.domain.errors import UsageError
from rotator.process import Stop, SystemClock, harden, signals
from tests.canary.silence import core_limit

STOPPABLE = """
from rotator.process import Stop, SystemClock, signals
stop = Stop()
clock = SystemClock(stop)
with signals(stop, grace={grace}):
    print("up", flush=True)
    clock.sleep(60)
    print("parked after", stop.signal, flush=True)
    {after}
"""
HANG = "import time; [time.sleep(0.05) for _ in range(1200)]"


def child(script: str, folder: Path | None = None) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True, env=env, cwd=folder)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def stop() -> Iterator[Stop]:
    """A stop request whose pipe is given back."""
    stop = Stop()
    yield stop
    stop.close()


def test_a_hardened_process_has_no_core_limit_left_to_raise() -> None:
    """The kernel's own list shows 0 for the soft and the hard limit."""
    with child("import rotator.process as p; print(p.harden(), flush=True); input()") as process:
        assert line_of(process) == "()"
        assert core_limit(process.pid) == ("0", "0")
        process.communicate("\n")


def test_a_hardened_process_is_not_dumpable() -> None:
    """prctl says so: others of this user cannot read its memory, and a core pipe gets nothing."""
    get = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    with child(f"{get}\nfrom rotator.process import harden; harden()\n{get}") as process:
        assert process.communicate()[0].split() == ["1", "0"]


def test_a_hardened_process_dies_without_a_core(tmp_path: Path) -> None:
    """An abort leaves no core file, although the limit allowed one before."""
    with child("import os; from rotator.process import harden; harden(); os.abort()", tmp_path) as process:
        _, status = os.waitpid(process.pid, 0)
        process.returncode = 0  # it was waited for here
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)
    assert list(tmp_path.iterdir()) == []


def test_a_hardened_process_makes_private_files(tmp_path: Path) -> None:
    """Files and folders made after it are for their owner only."""
    script = "import os; from rotator.process import harden; harden(); open('f', 'w').close(); os.mkdir('d')"
    with child(script, tmp_path) as process:
        process.communicate()
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o700


def test_a_denied_protection_is_told() -> None:
    """What the system does not grant is named, and the rest is done all the same."""
    mask = os.umask(0o022)
    try:
        assert harden({"cores": lambda: True, "memory": lambda: False}) == ("memory",)
    finally:
        os.umask(mask)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_ends_the_sleep(number: signal.Signals) -> None:
    """The sleep of a minute ends at once, and the program goes on to its own end."""
    with child(STOPPABLE.format(grace=60, after="")) as process:
        assert line_of(process) == "up"
        process.send_signal(number)
        assert line_of(process) == f"parked after {number.value}"
        assert process.wait(10) == 0


def test_the_second_signal_leaves_at_once() -> None:
    """Whatever hangs, the second signal ends it with the code for: try again later."""
    with child(STOPPABLE.format(grace=60, after=HANG)) as process:
        line_of(process)
        process.send_signal(signal.SIGTERM)
        assert line_of(process).startswith("parked")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 75


def test_a_step_that_takes_too_long_is_left() -> None:
    """The step in hand has its grace and no more."""
    with child(STOPPABLE.format(grace=0.2, after=HANG)) as process:
        line_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 75


def test_the_second_signal_leaves_although_a_thread_hangs() -> None:
    """A thread in the midst of a call does not hold the process."""
    thread = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); time.sleep(60)"
    with child(STOPPABLE.format(grace=60, after=thread)) as process:
        line_of(process)
        process.send_signal(signal.SIGTERM)
        line_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 75


def test_signal_handlers_are_given_back(stop: Stop) -> None:
    """After the block the handlers are those of before."""
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)]
    with signals(stop):
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)] == before


def test_signals_in_another_thread_are_refused(stop: Stop) -> None:
    """Python delivers signals to the main thread; elsewhere it is an error of ours, told as one."""
    caught: list[Exception] = []

    def enter() -> None:
        try:
            with signals(stop):
                pass
        except UsageError as error:
            caught.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_a_stop_wakes_every_thread(stop: Stop) -> None:
    """All sleepers wake, and whoever sleeps later does not sleep."""
    clock = SystemClock(stop)
    threads = [threading.Thread(target=clock.sleep, args=(60,)) for _ in range(8)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    stop.request()
    for thread in threads:
        thread.join()
    clock.sleep(60)
    assert time.monotonic() - start < 10
    assert stop.requested


def test_the_first_request_counts(stop: Stop) -> None:
    """The signal that asked first is the one that is remembered."""
    stop.request(signal.SIGINT)
    stop.request(signal.SIGTERM)
    assert stop.signal == signal.SIGINT


def test_the_system_clock_is_a_clock(stop: Stop) -> None:
    """It fits the port, moves on while it sleeps, and does not mind a wait that is over."""
    clock: ports.Clock = SystemClock(stop, random=lambda: 0.25)
    start = clock.monotonic()
    clock.sleep(0.05)
    assert clock.monotonic() - start >= 0.05
    clock.sleep(0)
    clock.sleep(-1)
    assert clock.jitter() == 0.25


def test_jitter_lies_between_0_and_1(stop: Stop) -> None:
    """Without a given randomness the system's is used."""
    drawn = {SystemClock(stop).jitter() for _ in range(50)}
    assert all(0 <= number < 1 for number in drawn)
    assert len(drawn) > 40
