"""The sockets that the daemon listens on. What cannot be listened on is one clear error."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from rotator import log
from rotator.control.callers import group_id
from rotator.domain.errors import ConfigError

LOG = log.get("control")
WHERE = "control.socket"
BACKLOG = 64


@dataclass(slots=True)
class UnixSocket:
    """A Unix socket of ours, and the lock that says that a live daemon has it."""

    path: Path
    socket: socket.socket
    lock: int
    inode: int

    def close(self) -> None:
        """Gives the name free, unless it is somebody else's by now."""
        self.socket.close()
        try:
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()
        except OSError:
            pass
        os.close(self.lock)


def unix_socket(path: Path, group: str) -> UnixSocket:
    """Listens at `path`, mode 0660, for the group where the system has it. The socket of a dead daemon is replaced.

    Raises ConfigError: a live daemon has it, no such folder, no right to it, something else is there.
    """
    lock = _locked(path)
    try:
        _clear(path)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # nobody comes in before the group is right
        try:
            made.bind(str(path))
        finally:
            os.umask(before)
        _give_to(path, group)
        made.listen(BACKLOG)
    except OSError as error:
        os.close(lock)
        raise _cannot(path, error) from None
    except ConfigError:
        os.close(lock)
        raise
    made.setblocking(False)
    return UnixSocket(path, made, lock, path.stat().st_ino)


def _locked(path: Path) -> int:
    """A lock ends with its process, however that ends: two daemons that start at once cannot both hold it."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _cannot(path, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise _taken(path) from None
    return lock


def _clear(path: Path) -> None:
    """Removes what a dead daemon left there. Raises ConfigError for anything else."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"{path} is there and is no socket", where=WHERE, fix="name another path")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise _taken(path)


def _give_to(path: Path, group: str) -> None:
    number = group_id(group)
    if number not in (None, path.stat().st_gid):  # a unit with Group= needs no chown, and its filter refuses one
        try:
            os.chown(path, -1, number)
        except PermissionError:
            LOG.warning(log.Word.SOCKET_NOT_SHARED, file=path, message=f"this user is no member of {group}",
                        fix=f"SupplementaryGroups={group} in the unit, or `usermod -aG {group}` for the daemon's user")
    path.chmod(0o660)


def _taken(path: Path) -> ConfigError:
    return ConfigError(f"another daemon answers at {path}", where=WHERE,
                       fix="stop that one, or give this one a socket of its own ([control] socket; \"\": none)")


def _cannot(path: Path, error: OSError) -> ConfigError:
    fixes = {
        errno.ENOENT: f"make the folder {path.parent} for the daemon's user (RuntimeDirectory=rotator in the unit)",
        errno.EACCES: f"the daemon's user needs the right to write to {path.parent}",
        errno.EROFS: f"{path.parent} must be writable: RuntimeDirectory=rotator in the unit",
    }
    fix = fixes.get(error.errno or 0, "name another path, or \"\" for none")
    return ConfigError(f"cannot listen at {path}: {error.strerror}", where=WHERE, fix=fix)


def tcp_socket(listen: str) -> socket.socket:
    """Listens at host:port. Raises ConfigError."""
    host, _, port = listen.rpartition(":")
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, proto)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError as error:
        raise ConfigError(f"cannot listen at {listen}: {error.strerror}", where="control.listen",
                          fix="name a free port of an address of this machine") from None
    made.setblocking(False)
    return made


def server_tls(cert_file: str, key_file: str, ca_file: str) -> ssl.SSLContext:
    """TLS 1.2 and later; asks for a client certificate where `ca_file` says who issues them, and takes callers without
    one, who need a token then. Raises ConfigError for a file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file, password=_no_password)
        if ca_file:
            context.load_verify_locations(ca_file)
            context.verify_mode = ssl.CERT_OPTIONAL
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        raise ConfigError("the certificate, the key or the authority of [control] cannot be used", where="control",
                          fix="give readable PEM files that belong together; the key must not be encrypted") from None
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")  # instead of a prompt on the terminal
