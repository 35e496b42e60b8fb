"""Checks of this machine, its database and its audit trail."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

from rotator.checks.finding import Finding, failed, passed, unseen, warned
from rotator.checks.scene import HereScene
from rotator.domain.errors import ConfigError, InvariantBroken

STALE = timedelta(hours=2)
HUSH = ("SECRET", "PASSWORD", "TOKEN", "PRIVATE_KEY")  # in the name of a variable
OF_SYSTEM = ("SSH_", "GPG_", "DBUS_", "XDG_")


def db_1(scene: HereScene) -> Finding:
    """The schema, the triggers that protect the trail, and the grants (an empty database gets its tables now)."""
    try:
        return passed(f"schema {scene.schema()}, append-only")
    except (ConfigError, InvariantBroken) as error:
        return failed(error.message, error.fix)


def aud_1(scene: HereScene) -> Finding:
    """The chain of the audit trail, and its newest anchor."""
    found = scene.verify()
    if not found.ok:
        return failed(f"the trail is broken: {found.reason}",
                      "keep database and anchors as they are; `rotator audit verify`, docs/audit.md")
    if not scene.anchors:
        return warned("the chain is whole; no place for anchors is configured", "anchors under [audit]")
    last = scene.anchored()
    if last is None or scene.now() - last > STALE:
        age = "no anchor yet" if last is None else f"the newest anchor is {scene.now() - last} old"
        return warned(f"the chain is whole ({found.rows} rows), but {age}", "`rotator audit anchor`; is the daemon up?")
    return passed(f"the chain is whole ({found.rows} rows) and anchored")


def hst_1(scene: HereScene) -> Finding:
    """Secrets lie in files that nobody else can read, and not in the environment."""
    loud = sorted(name for name, value in scene.environment.items() if value and _loud(name))
    if loud:
        return failed(f"the environment seems to hold secrets: {', '.join(loud)}",
                      "unset them; under systemd: a drop-in with LoadCredential= (systemd/README.md)")
    modes = {file: _mode(file) for file in scene.secrets}
    open_ = [str(file) for file, mode in modes.items() if mode is not None and mode & stat.S_IRWXO]
    if open_:
        return failed(f"others can read {', '.join(open_)}", f"`chmod o= {' '.join(open_)}`")
    absent = [str(file) for file, mode in modes.items() if mode is None]
    if absent:
        return unseen(f"cannot be looked at: {', '.join(absent)}", "run `check` as the rotator's user")
    return passed(f"{len(modes)} secret files, which others cannot read; none in the environment")


def _loud(name: str) -> bool:
    return any(word in name.upper() for word in HUSH) and not name.startswith(OF_SYSTEM)


def _mode(file: Path) -> int | None:
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return None
