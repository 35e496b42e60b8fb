"""A disk that is small enough to fill: a tmpfs of its own, and a database of the shared PostgreSQL that lies on it.

What fills it is a file beside the tables, so a full disk is the kernel's own answer (ENOSPC), in the server, at
whatever page comes next. The server's log of writes lies elsewhere: a volume is full, the server did not die of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from tests.servers.postgres import RealPostgres

BLOCK = bytes(4096)
_NUMBERS = count(1)


def why_not(env: Mapping[str, str]) -> str:
    """What this machine, or this user id, lacks to have such a disk; empty where nothing."""
    if env.get("ROTATOR_TEST_PG"):
        return "ROTATOR_TEST_PG names a server whose disks are not ours"
    if os.geteuid() != 0:
        return "mounting a small disk needs root"
    with tempfile.TemporaryDirectory() as place:
        tried = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "rotator", place],
                               capture_output=True, text=True, check=False)  # fmt: skip
    return f"no tmpfs can be mounted: {tried.stderr.strip()[-120:]}" if tried.returncode else ""


class SmallDisk:
    """A disk of so many megabytes, mounted at `place`; `url`: of the PostgreSQL database on it, if there is one."""

    def __init__(self, place: Path, url: str = "") -> None:
        self.place, self.url = place, url

    def fill(self, but: int = 0) -> None:
        """Until the kernel says ENOSPC; then so many bytes are given back."""
        with (self.place / "ballast").open("ab", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(BLOCK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            ballast.truncate(max(0, ballast.tell() - but))

    def free(self) -> None:
        """There is room again."""
        (self.place / "ballast").unlink()


    def read_only(self, yes: bool = True) -> None:
        """Nothing can be written to it, or can again."""
        subprocess.run(["mount", "-o", f"remount,{'ro' if yes else 'rw'}", self.place], check=True)


@contextlib.contextmanager
def mounted(megabytes: int, owner: int = 0) -> Iterator[SmallDisk]:
    """A disk that belongs to this user id; taken away at the end."""
    place = Path(tempfile.mkdtemp(prefix="rotator-disk-"))
    how = f"size={megabytes}m,mode=0700,uid={owner}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", how, "rotator-test", place], check=True)
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
        place.rmdir()


@contextlib.contextmanager
def small_disk(server: RealPostgres, megabytes: int = 32) -> Iterator[SmallDisk]:
    """One with an empty database on it."""
    ((data,),) = server.execute(server.url_of("postgres"), "SHOW data_directory")
    owner = Path(data).stat().st_uid
    name = f"rotator_disk_{os.getpid()}_{next(_NUMBERS)}"
    with mounted(megabytes, owner) as disk:
        tables = disk.place / "tables"
        tables.mkdir(mode=0o700)
        os.chown(tables, owner, -1)
        with server.tablespace(name, tables):
            disk.url = server.database(tablespace=name)
            try:
                yield disk
            finally:
                (disk.place / "ballast").unlink(missing_ok=True)
                server.drop(disk.url)
