"""Rotators as processes of their own: a configuration in a folder, a simulator, and hands that kill them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rotator.simulator import Running, start
from tests.crash.support import Door, Site, filled

AT_ONCE = 6  # rotators wait most of the time
LIMIT_S = 60.0
LEASE_S = 2.0  # the shortest that a configuration may say
CONFIG = """
state_dir = "{folder}"
[database]
url = "{url}"
[vault]
address = "{vault}"
insecure = true
auth = {{ method = "approle", role_id = "{role_id}", secret_id_file = "secret-id" }}
[orgs.acme]
host = "{org}"
insecure = true
admin = {{ grant = "client_credentials", vault_path = "salesforce/acme/rotator" }}
facts = {{ staged_pair_accepted = "yes", rotated_pair_accepted = "yes" }}
[apps.billing]
org = "acme"
app = "{app}"
vault_path = "{path}"
overlap = "200ms"
[timing]
propagation = "100ms"
proof_spacing = "20ms"
settle = "150ms"
poll = "50ms"
lease = "2s"
"""
FRESH: dict[str, Any] = {"seed": 7, "difficulty": "difficult", "facts": {}, "shapes": {}, "apps": 1, "overlap_s": 0.2}


class Launcher:
    """A process of tests.crash.support_launch. One order at a time, whichever thread gives it."""

    def __init__(self) -> None:
        # A session of its own: what the terminal sends to the tests must not reach a rotator in the midst of one.
        self._process = subprocess.Popen([sys.executable, "-m", "tests.crash.support_launch"], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip
        self._lock = threading.Lock()

    def order(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass
class Rotator:
    """One process of `rotator`, started by a launcher."""

    launcher: Launcher
    pid: int
    ended: int | None = None

    def look(self) -> str:
        if self.ended is not None:
            return "ended"
        found = self.launcher.order(look=self.pid)
        self.ended = found.get("code")
        return str(found["state"])

    def send(self, number: int) -> None:
        """Only while it lives: a process id is ours until its end was looked at."""
        if self.look() != "ended":
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Until it ends; gives its exit code."""
        until(lambda: self.look() == "ended", "the rotator has not ended")
        assert self.ended is not None
        return self.ended

    def killed(self) -> None:
        self.send(signal.SIGKILL)
        assert self.wait() == -signal.SIGKILL


@dataclass
class Place(Site):
    """A site, a folder with a configuration, and the rotators that work there as processes."""

    launcher: Launcher
    folder: Path
    started: list[Rotator] = field(default_factory=list)

    @classmethod
    def fresh(cls, sim: Running, door: Door, launcher: Launcher, folder: Path, url: str) -> Place:
        world = door.post("/reset", FRESH)
        place = cls(sim, door, url, world, launcher, folder)
        (folder / "secret-id").write_text(world["vault"]["secret_id"])
        (folder / "secret-id").chmod(0o600)
        billing = world["orgs"]["acme"]["apps"]["billing"]
        text = CONFIG.format(folder=folder, url=url, vault=sim.vault_url, role_id=world["vault"]["role_id"],
                             org=sim.org_url, app=billing["developer_name"], path=billing["vault_path"])  # fmt: skip
        (folder / "rotator.toml").write_text(text)
        return place

    def start(self, *words: str, **at: Any) -> Rotator:
        """`rotator rotate billing --until done` unless told; and maybe the commit at which it gets a signal."""
        words = words or ("rotate", "billing", "--until", "done")
        argv = ["--config", str(self.folder / "rotator.toml"), "--json", *words]
        out, notes = self.folder / f"out-{len(self.started)}", self.folder / "notes"
        pid = self.launcher.order(start=argv, out=str(out), notes=str(notes), **at)["pid"]
        self.started.append(Rotator(self.launcher, pid))
        return self.started[-1]

    def said(self, number: int) -> str:
        """What the n-th process wrote."""
        return (self.folder / f"out-{number}").read_text()

    def acknowledged(self) -> int:
        """The last row of the trail that a process was told to be committed."""
        notes = self.folder / "notes"
        rows = [int(line.split()[1]) for line in notes.read_text().splitlines()] if notes.exists() else []
        return max(rows, default=0)

    def commits(self) -> int:
        """How many commits the last process made."""
        return int((self.folder / "notes").read_text().splitlines()[-1].split()[0])

    def commit_of(self, seq: int) -> int:
        """Which commit of its process wrote this row of the trail."""
        notes = [line.split() for line in (self.folder / "notes").read_text().splitlines()]
        return next(int(count) for count, last in notes if int(last) >= seq)

    def finish(self) -> None:
        """Starts it again until it says that it is done; what waits for a human or for later is no end."""
        for _ in range(5):
            if self.start().wait() == 0:
                return
        raise AssertionError(self.said(len(self.started) - 1)[-3000:])

    def stop_all(self) -> None:
        for one in self.started:
            if one.look() != "ended":
                one.killed()


def until(true: Callable[[], bool], otherwise: str) -> None:
    """Waits for what another process does."""
    limit = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < limit, otherwise
        time.sleep(0.01)


@dataclass
class Crew:
    """Places for rotators that work side by side: a simulator for each thread, one launcher for all."""

    folder: Path
    url: Callable[[Path], str]
    launcher: Launcher = field(default_factory=Launcher)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE))
    _sims: list[tuple[Running, Door]] = field(default_factory=list)
    _mine: threading.local = field(default_factory=threading.local)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def place(self) -> Place:
        if not hasattr(self._mine, "sim"):
            self._mine.sim = start(seed=1, trap=True)
            self._mine.door = Door(self._mine.sim.admin_url)
            self._sims.append((self._mine.sim, self._mine.door))
        folder = self.folder / f"place-{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        return Place.fresh(self._mine.sim, self._mine.door, self.launcher, folder, self.url(folder))

    def close(self) -> None:
        self.pool.shutdown()
        self.launcher.close()
        for sim, door in self._sims:
            door.close()
            sim.stop()

    def all(self, cases: Sequence[tuple[Any, ...]], case: Callable[..., str]) -> list[str]:
        """Plays the case with each of these arguments, some at once; gives what each said. The failures as one text."""

        def one(arguments: tuple[Any, ...]) -> str:
            place = self.place()
            try:
                said = case(place, *arguments)
                shutil.rmtree(place.folder)
            except (AssertionError, OSError, ValueError, LookupError) as error:
                return f"WRONG {arguments}: {type(error).__name__}: {error}"
            finally:
                place.stop_all()
            return said

        said = list(self.pool.map(one, cases))
        wrong = [text for text in said if text.startswith("WRONG")]
        assert not wrong, "\n".join([f"{len(wrong)} of {len(cases)}:", *wrong[:10]])
        return said


@contextlib.contextmanager
def crew(folder: Path, url: Callable[[Path], str]) -> Iterator[Crew]:
    made = Crew(folder, url)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def sqlite_crew(base: Path) -> Iterator[Crew]:
    """One of which each place has a database of its own, copied from a migrated one."""
    filled(f"sqlite:///{base}/template.db")

    def url(folder: Path) -> str:
        shutil.copy(base / "template.db", folder / "rotator.db")
        return f"sqlite:///{folder}/rotator.db"

    with crew(base, url) as made:
        yield made
