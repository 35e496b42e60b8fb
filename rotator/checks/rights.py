"""Permissions of a user: those of every assigned set, profiles included (reference section 8, row 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rotator.domain.errors import Unintelligible

if TYPE_CHECKING:
    from rotator.checks.scene import Org

TO_ROTATE = ("ApiEnabled", "ExternalClientAppDeveloper", "ViewClientSecret")
TO_END_SESSIONS = ("CustomizeApplication", "ManageUsers")
TO_BLOCK = ("ApiEnabled", "ExternalClientAppAdmin", "ModifyMetadata")
IMPLIES_ADMIN = "ExternalClientAppDeveloper"  # and with it ExternalClientAppAdmin
ADMIN_LIKE = ("ModifyAllData", "ViewAllData", "AuthorApex")
ONLY_API = "ApiUserOnly"


def held(org: Org, user: str, asked: Sequence[str]) -> frozenset[str]:
    """Which of these permissions the user holds. One query; raises as a query does, Unintelligible for an id that
    cannot stand in one."""
    if not user.isalnum():
        raise Unintelligible("the org gives the user an id that cannot stand in a query")
    columns = ", ".join(f"PermissionSet.Permissions{name}" for name in asked)
    soql = f"SELECT {columns} FROM PermissionSetAssignment WHERE AssigneeId = '{user}'"  # noqa: S608 - an id
    return permissions(org.query(soql))


def permissions(rows: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """The permissions that any assigned set gives."""
    sets = [row.get("PermissionSet") for row in rows]
    return frozenset(
        name.removeprefix("Permissions") for given in sets if isinstance(given, Mapping)
        for name, has in given.items() if has is True
    )  # fmt: skip
