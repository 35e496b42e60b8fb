"""A Debian that is booted for a test, with systemd as its process 1, and entered from outside.

It has no network but its loopback, its file system is an overlay in memory over the cached root, and it is gone with
the process that holds it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BOOT, HALT = 60.0, 20.0  # seconds
Done = subprocess.CompletedProcess[str]


class Machine:
    """A booted one. `leader` is the process id of its systemd, as seen from here."""

    def __init__(self, leader: int) -> None:
        self.leader = leader

    def run(self, *command: str, user: str = "root", given: str = "", seconds: float = 120) -> Done:
        """Runs a command inside, in a login's bare environment, as this user; `given` is its standard input."""
        bare = ["env", "--chdir=/", "-i", f"PATH={PATH}", "LANG=C.UTF-8"]
        become = ["runuser", "-u", user, "--"] if user != "root" else []
        enter = ["nsenter", "--target", str(self.leader), "--all", *bare, *become, *command]
        return subprocess.run(enter, input=given, capture_output=True, text=True, check=False, timeout=seconds)

    def out(self, *command: str, user: str = "root", given: str = "", seconds: float = 120) -> str:
        """The same; it must succeed. Gives what it wrote."""
        done = self.run(*command, user=user, given=given, seconds=seconds)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def sh(self, script: str, user: str = "root") -> str:
        """A shell script, which stops at the first command that fails."""
        return self.out("sh", "-euc", script, user=user)

    def write(self, place: str, text: str, mode: str = "0644", owner: str = "root:root") -> None:
        """A file inside, with the folders above it."""
        self.out("sh", "-euc", 'mkdir -p "$(dirname "$1")"; cat > "$1"; chown "$2" "$1"; chmod "$3" "$1"', "sh", place,
                 owner, mode, given=text)  # fmt: skip

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        told = self.out("systemctl", "show", unit, *(f"--property={name}" for name in names))
        return dict(line.split("=", 1) for line in told.splitlines())

    def until(self, condition: Callable[[], object], seconds: float = 30.0, unit: str = "rotator") -> None:
        """Waits for a condition; where it never comes true the unit's last lines are told."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                last = self.run("journalctl", "--no-pager", "-o", "cat", "-n", "40", "-u", unit).stdout
                raise AssertionError(f"it never came true; the last lines of {unit}:\n{last}")
            time.sleep(0.2)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One machine at a time: nspawn, told to stay in our control group, makes the same ones in it for each."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield
        finally:
            _sweep(Path("/sys/fs/cgroup"))


def _sweep(groups: Path) -> None:
    """Removes the empty control groups that nspawn leaves; rmdir(2) refuses where a process is left in one."""
    own = {line.split(":", 2)[2].strip("/") for line in Path("/proc/self/cgroup").read_text().splitlines()}
    tops = [base / path / name for base in (groups, groups / "systemd", groups / "unified") for path in own
            for name in ("payload", "supervisor")]  # fmt: skip
    for top in tops:
        for folder in sorted((place for place in top.rglob("*") if place.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            top.rmdir()


def end_with_me() -> None:
    """In the child: SIGTERM, which shuts the machine down, when the parent dies in whatever way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@contextmanager
def booted(root: Path, shared: Path) -> Iterator[Machine]:
    """A machine over this root, with a folder of ours read-only at /media. Nothing of it is left in the end."""
    command = ["systemd-nspawn", "--quiet", "--directory", str(root), "--volatile=overlay", "--register=no",
               "--keep-unit", "--private-network", "--machine=rotator-test", "--hostname=rotator-test",
               f"--bind-ro={shared}:/media", "--console=pipe", "--boot"]  # fmt: skip
    with (
        (shared / "console").open("wb") as console,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                         preexec_fn=end_with_me) as nspawn,
    ):  # fmt: skip
        try:
            machine = Machine(_leader(nspawn, shared / "console"))
            _wait_for_boot(machine)
            yield machine
        finally:
            _halt(nspawn)


def _leader(nspawn: subprocess.Popen[bytes], console: Path) -> int:
    """The process id of the systemd inside: the only child of nspawn that is its own namespace's first."""
    deadline = time.monotonic() + BOOT
    while time.monotonic() < deadline and nspawn.poll() is None:
        with contextlib.suppress(OSError):
            for child in Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split():
                if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return int(child)
        time.sleep(0.05)
    raise AssertionError(f"the machine did not boot:\n{console.read_text()[-2000:]}")


def _wait_for_boot(machine: Machine) -> None:
    told, deadline = "", time.monotonic() + BOOT
    while told.strip() != "running" and time.monotonic() < deadline:
        told = machine.run("systemctl", "is-system-running").stdout
        time.sleep(0.1)
    assert told.strip() == "running", told + machine.run("systemctl", "--failed", "--no-pager").stdout


def _halt(nspawn: subprocess.Popen[bytes]) -> None:
    """An orderly end; where that takes too long, its first process is killed, and nspawn cleans up."""
    nspawn.terminate()
    try:
        nspawn.wait(HALT)
    except subprocess.TimeoutExpired:
        for child in Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split():
            subprocess.run(["kill", "-KILL", child], check=False)
        nspawn.wait(HALT)
