"""Checks of an org and of the rotator's identity there (salesforce.md section 8: how each is seen)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from rotator.checks.finding import Finding, failed, passed, unseen, warned
from rotator.checks.scene import OrgScene
from rotator.domain.errors import Refused, Unintelligible

LEAST_API = 65.0  # the first version with staged credentials
LEAST_QUOTA = 0.1
TO_ROTATE = ("ApiEnabled", "ExternalClientAppDeveloper", "ViewClientSecret")
TO_END_SESSIONS = ("CustomizeApplication", "ManageUsers")
TO_BLOCK = ("ApiEnabled", "ExternalClientAppAdmin", "ModifyMetadata")
RESPONDERS = "Rotator_Responder"
SETS = "assign the permission set {} (config/permission-sets; profiles count as well)"
HOST_FIX = "copy the host from Setup, My Domain"


def org_1(scene: OrgScene) -> Finding:
    """The host is a My Domain and offers the API version."""
    name = urlsplit(scene.host).hostname or ""
    if not name.endswith(".my.salesforce.com") and not scene.insecure:
        return failed(f"{name} is not a My Domain", HOST_FIX)
    offered = scene.org.versions()
    if scene.api_version not in offered:
        newest = offered[-1] if offered else "none"
        return failed(f"API {scene.api_version} is not offered; the newest is {newest}", HOST_FIX)
    return passed(f"{name} offers API {scene.api_version}")


def org_2(scene: OrgScene) -> Finding:
    """The org is the one that was met before."""
    try:
        user = scene.org.user_id  # logs in
    except Refused as error:
        if error.code == "org_mismatch":
            return failed(error.message, error.fix)
        raise
    return passed(f"org {scene.org.org_id}, as user {user}")


def org_3(scene: OrgScene) -> Finding:
    """The rotator logs in and makes a real call; enough daily quota is left."""
    try:
        limits = scene.org.limits()
    except Refused as error:
        return failed(error.message, error.fix)
    if "DailyApiRequests" not in limits:
        return unseen("logged in; the org does not tell its daily quota", "see Setup, System Overview")
    most, left = limits["DailyApiRequests"]
    if most and left < LEAST_QUOTA * most:
        return warned(f"only {left} of {most} daily API requests are left", "free quota: see Setup, System Overview")
    return passed(f"logged in; {left} of {most} daily API requests are left")


def adm_1(scene: OrgScene) -> Finding:
    """The rotator's user may stage, rotate and delete pairs, and see secrets."""
    has = _held(scene, scene.org.user_id)
    missing = [name for name in TO_ROTATE if name not in has]
    if missing:
        return failed(f"the rotator's user lacks {', '.join(missing)}", SETS.format("Rotator_Admin"))
    return passed(f"{len(TO_ROTATE)} permissions, as needed")


def adm_2(scene: OrgScene) -> Finding:
    """The responder's user, which may be the same, may end sessions; and turn an app's OAuth switch, which only an
    incident needs."""
    has = _held(scene, scene.org.responder_id)
    has |= {"ExternalClientAppAdmin"} if "ExternalClientAppDeveloper" in has else set()  # which implies it
    missing = [name for name in TO_END_SESSIONS if name not in has] if scene.sessions else []
    if missing:
        return failed(f"the responder's user lacks {', '.join(missing)} to end sessions", SETS.format(RESPONDERS))
    missing = [name for name in TO_BLOCK if name not in has]
    if missing:
        what = "`block` and `force --block-first` will be refused"
        return warned(f"the responder's user lacks {', '.join(missing)}: {what}",
                      SETS.format(RESPONDERS))  # fmt: skip
    return passed("ends sessions and turns the OAuth switch of apps")


def _held(scene: OrgScene, user: str) -> frozenset[str]:
    """The permissions of a user that the checks know. Raises Unintelligible for an id that cannot stand in a query."""
    if not user.isalnum():
        raise Unintelligible("the org gives the user an id that cannot stand in a query")
    columns = ", ".join(f"PermissionSet.Permissions{name}" for name in (*TO_ROTATE, *TO_END_SESSIONS, *TO_BLOCK[1:]))
    soql = f"SELECT {columns} FROM PermissionSetAssignment WHERE AssigneeId = '{user}'"  # noqa: S608 - an id
    return permissions(scene.org.query(soql))


def permissions(rows: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """The permissions that any assigned set gives."""
    sets = [row.get("PermissionSet") for row in rows]
    return frozenset(
        name.removeprefix("Permissions") for given in sets if isinstance(given, Mapping)
        for name, has in given.items() if has is True
    )  # fmt: skip
