"""Secrets come from files: where a file name points to, and who may read the file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rotator.domain.errors import ConfigError
from rotator.domain.secret import Secret

LARGEST = 64 * 1024  # bytes; the largest PEM bundle is far below
# The kubelet sets the mode of a projected token (0644 by default) and shows it to the pod alone.
_KUBELET = "/var/run/secrets/kubernetes.io/"


@dataclass(frozen=True, slots=True)
class SecretPlaces:
    """Where file names of the configuration are looked up."""

    beside: Path
    """The folder of the configuration file."""
    credentials: Path | None = None
    """`$CREDENTIALS_DIRECTORY`, where systemd puts credentials."""

    @classmethod
    def of(cls, config_file: Path, env: Mapping[str, str]) -> SecretPlaces:
        """The places for a configuration file under an environment."""
        credentials = env.get("CREDENTIALS_DIRECTORY")
        return cls(config_file.absolute().parent, Path(credentials) if credentials else None)


def find_file(name: str, places: SecretPlaces) -> Path:
    """The file that a name means: absolute, or in the credentials folder, else beside the configuration file.

    Used as it is for files that are no secret (ca_file); whether it exists is not said.
    """
    if places.credentials is not None and (places.credentials / name).exists():
        return places.credentials / name  # an absolute name wins over the folder it is joined to
    return places.beside / name


def read_secret_file(name: str, places: SecretPlaces) -> Secret:
    """The content of a secret file without its last line break.

    Raises ConfigError where it is not there, is no plain file, may be read or written by others, is empty,
    is larger than 64 KiB, or is not text.
    """
    file = find_file(name, places)
    try:
        content = _read(file)
    except OSError as error:
        fix = f"put the secret into {file}, readable by the rotator alone"
        raise ConfigError(f"secret file {name}: {error.strerror}", fix=fix, where=str(file)) from None
    text = _text(content)
    if text is None:
        raise ConfigError(f"secret file {name} is not UTF-8 text", where=str(file))
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret.strip():
        raise ConfigError(f"secret file {name} is empty", fix=f"put the secret into {file}", where=str(file))
    return Secret(secret)


def _text(content: bytes) -> str | None:
    """None for what is no text. UnicodeDecodeError holds the content: it must not become anyone's context."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _read(file: Path) -> bytes:
    """Open first and look at what was opened, so that nobody can swap it in between."""
    # Without O_NONBLOCK a named pipe would hold us here for ever.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"secret file {file} is not a plain file", where=str(file))
        if status.st_mode & stat.S_IRWXO and not str(file).startswith(_KUBELET):
            raise ConfigError(
                f"secret file {file} may be used by others (mode {stat.S_IMODE(status.st_mode):04o})",
                fix=f"chmod o= {file}; if others could read it, rotate that secret too",
                where=str(file),
            )
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ConfigError(f"secret file {file} is larger than 64 KiB", where=str(file))
    return content
