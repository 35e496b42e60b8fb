"""All checks, in the order in which they are told, and how an error becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rotator.checks import app, org, vault
from rotator.checks.finding import Finding, unseen
from rotator.checks.scene import AppScene, OrgScene, VaultScene
from rotator.domain.errors import RotatorError

S = TypeVar("S")
Rows = tuple[tuple[str, Callable[[S], Finding]], ...]

ORG: Rows[OrgScene] = (
    ("ORG-1", org.org_1), ("ORG-2", org.org_2), ("ORG-3", org.org_3), ("ADM-1", org.adm_1),
    ("ADM-2", org.adm_2),
)  # fmt: skip
APP: Rows[AppScene] = (
    ("ORG-5", app.org_5), ("APP-1", app.app_1), ("APP-2", app.app_2), ("APP-3", app.app_3), ("APP-4", app.app_4),
    ("APP-5", app.app_5), ("APP-6", app.app_6), ("VLT-1", vault.vlt_1), ("VLT-2", vault.vlt_2),
)  # fmt: skip
VAULT: Rows[VaultScene] = (("VLT-3", vault.vlt_3),)


def look(rows: Iterable[tuple[str, Callable[[S], Finding]]], scene: S) -> Iterator[tuple[str, Finding]]:
    """Runs each check. What cannot be read is unknown, never a pass."""
    for name, check in rows:
        try:
            yield name, check(scene)
        except RotatorError as error:
            yield name, unseen(error.message, error.fix)
