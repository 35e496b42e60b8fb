"""The SQLite file on its disk: who may read it, and what kind of file system it lies on."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from rotator.domain.errors import ConfigError, LedgerUnavailable

MOUNTS = Path("/proc/self/mounts")
# SQLite's write-ahead log needs shared memory and working locks; these file systems promise neither.
NETWORK = frozenset({
    "afs", "beegfs", "ceph", "cifs", "coda", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2",
    "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs",
})  # fmt: skip


def prepare(path: Path, mounts: Path = MOUNTS) -> None:
    """Creates the file as 0600 before SQLite would by the umask; its log files inherit the mode.

    Raises ConfigError where the folder is missing or not ours, or lies on a network file system; LedgerUnavailable
    where its file system is mounted read-only, as a kernel does after an error of the disk.
    """
    if not path.parent.is_dir():
        raise ConfigError(
            f"the folder of the database, {path.parent}, does not exist",
            fix=f"mkdir -m 700 {path.parent}",
            where="database.url",
        )
    kind = filesystem(path.parent, mounts)
    if kind in NETWORK:
        raise ConfigError(
            f"{path} lies on a network file system ({kind}), where SQLite can lose rows",
            fix="move the database to a local disk, or use PostgreSQL",
            where="database.url",
        )
    if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        raise LedgerUnavailable("the database's file system is mounted read-only",
                                fix=f"find out why, then mount the one of {path.parent} for writing") from None
    try:
        _private(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}", fix="run as the owner of the database file", where="database.url"
        ) from None


def _private(path: Path) -> None:
    """A file that is there already is not opened: closing it would take away the locks that this process holds on it
    by another connection (fcntl(2)), and the next to close would throw away a log that is still in use."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
        if not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:
            path.chmod(0o600)


def filesystem(folder: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that holds this folder; "" where the system does not tell (not Linux)."""
    if not mounts.is_file():
        return ""
    best, kind = -1, ""
    real = folder.resolve()
    for line in mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        point, found = line.split(" ")[1:3]
        place = Path(point.replace("\\040", " "))  # the kernel writes a space so
        if real.is_relative_to(place) and len(place.parts) >= best:  # the last mount of a place is the one on top
            best, kind = len(place.parts), found
    return kind
