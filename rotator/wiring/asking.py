"""Who asks, and as whom a process works."""

from __future__ import annotations

import os
import pwd
import secrets
import socket
from collections.abc import Mapping

from rotator.domain.rotation import Who
from rotator.process import STARTED_AS


def login_user(env: Mapping[str, str], uid: int | None = None) -> str:
    """The login user of this process; root's is the one behind sudo (sudo's own variable is believed of root only)."""
    uid = STARTED_AS if uid is None else uid
    behind = behind_sudo(env, uid)
    if behind:
        return behind
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def behind_sudo(env: Mapping[str, str], uid: int | None = None) -> str:
    """Whom root acts for; "" where it is for itself, or this is not root."""
    return env.get("SUDO_USER", "") if (STARTED_AS if uid is None else uid) == 0 else ""


def who(env: Mapping[str, str], reason: str = "", origin: str = "cli") -> Who:
    """Who stands in the audit trail for this command."""
    return Who(actor=login_user(env), origin=origin, reason=reason, uid=_uid(env))


def _uid(env: Mapping[str, str]) -> int | None:
    """The uid of whom `login_user` names; None where sudo does not say it: it is not root's."""
    if not behind_sudo(env):
        return STARTED_AS
    told = env.get("SUDO_UID", "")
    return int(told) if told.isdigit() else None


def owner() -> str:
    """The name of this process as the owner of leases: unlike any other, here or on another machine."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
