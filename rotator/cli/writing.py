"""A file that a command writes: only its owner may read it, and it appears when it is whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.domain.errors import ConfigError


@contextmanager
def writer(file: Path | None, option: str) -> Iterator[Callable[[str], object]]:
    """Writes to this file, given as this option; to standard output where there is none. Raises ConfigError."""
    if file is None:
        yield sys.stdout.write
        sys.stdout.flush()
        return
    part = file.with_name(f".{file.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as to:
            yield to.write
            to.flush()
            os.fsync(to.fileno())
        part.replace(file)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", fix="name a file that can be written here", where=option
                          ) from None
    finally:
        part.unlink(missing_ok=True)
