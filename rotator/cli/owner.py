"""As whom a command works: the owner of the database's file, so that no file of root's appears beside it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from rotator.domain.errors import ConfigError


def become(url: str) -> None:
    """Root steps down to the owner of the SQLite file (or of the folder where it will lie); others stay who they are.

    Raises ConfigError where that user is unknown.
    """
    owner = owner_of(url)
    if os.geteuid() != 0 or owner in (0, None):
        return
    try:
        user = pwd.getpwuid(owner)
    except KeyError:
        raise ConfigError(f"the database belongs to user {owner}, who is not known here",
                          fix="chown it to the user of the rotator", where="database.url") from None
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def owner_of(url: str) -> int | None:
    """The user id that owns a SQLite database; None for another kind of database, or where nothing is there yet."""
    if not url.startswith("sqlite:///"):
        return None
    file = Path(url.removeprefix("sqlite:///"))
    place = file if file.exists() else file.parent
    return place.stat().st_uid if place.exists() else None
