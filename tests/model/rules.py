"""The verdict of the checker."""

from __future__ import annotations


class Violation(Exception):
    """An invariant does not hold."""


def rule(ok: bool, text: str) -> None:
    """Raises Violation with the text of the invariant that is broken."""
    if not ok:
        raise Violation(text)
