"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`ok` None: it could not be seen, which is never a pass. `warn`: false does not fail the command."""

    ok: bool | None
    found: str
    fix: str = ""
    warn: bool = False


def passed(found: str) -> Finding:
    """As it should be."""
    return Finding(True, found)


def failed(found: str, fix: str) -> Finding:
    """A rotation would not work."""
    return Finding(False, found, fix)


def warned(found: str, fix: str) -> Finding:
    """A rotation works; still, somebody should know."""
    return Finding(False, found, fix, warn=True)


def unseen(found: str, fix: str) -> Finding:
    """It could not be seen."""
    return Finding(None, found, fix)
