"""Checks of the user that an app's flow runs as, and of the operator of classic apps."""

from __future__ import annotations

from datetime import timedelta

from rotator.checks.finding import Finding, failed, passed, unseen, warned
from rotator.checks.rights import ADMIN_LIKE, ONLY_API
from rotator.checks.scene import AppScene, ClassicScene
from rotator.domain.errors import ConfigError

MOST_LOGINS = 1800  # an hour; Salesforce blocks a user at 3,600 (reference section 7)
ROTATION_RIGHT = "ClientSecretRotation"  # "Allow consumer key and secret rotation"
DARK = unseen("the org does not show whom the flow runs as",
              "Setup, External Client App Manager, the app, Policies, Run As; give the rotator View Setup")


def run_1(scene: AppScene) -> Finding:
    """The run-as user is active and not frozen."""
    user = scene.run_as_id
    if not user:
        return DARK
    name = scene.run_as.get("Username")
    if scene.run_as.get("IsActive") is False:
        return failed(f"the run-as user {name} is inactive", "Setup, Users: activate it")
    rows = scene.org.query(f"SELECT UserId, IsFrozen FROM UserLogin WHERE UserId = '{user}'")  # noqa: S608 - an id
    frozen = next((row.get("IsFrozen") for row in rows), None)
    if frozen is True:
        return failed(f"the run-as user {name} is frozen", "Setup, Users, the user: Unfreeze")
    if frozen is None:
        return unseen(f"whether {name} is frozen is not shown", "Setup, Users; the rotator needs Manage Users")
    return passed(f"the run-as user {name} is active")


def run_2(scene: AppScene) -> Finding:
    """The run-as user is API Only."""
    if not scene.run_as_id:
        return DARK
    if ONLY_API not in scene.run_as_rights:
        return warned("the run-as user can also log in by a browser",
                      "Setup, Permission Sets: grant it API Only User (PermissionsApiUserOnly)")
    return passed("the run-as user is API Only")


def run_3(scene: AppScene) -> Finding:
    """The run-as user is this app's alone."""
    mine = scene.policy("ClientCredentialsFlowUser")
    if not mine:
        return DARK
    sharing = sum(row.get("ClientCredentialsFlowUser") == mine for row in scene.place.policies.values()) - 1
    if sharing > 0:
        return warned(f"{sharing} other apps run as the same user: their sessions cannot be told apart by user",
                      "Setup, External Client App Manager, Policies, Run As: a user per app")
    return passed("no other app runs as this user")


def run_4(scene: AppScene) -> Finding:
    """The run-as user's rights."""
    if not scene.run_as_id:
        return DARK
    has = scene.run_as_rights & frozenset(ADMIN_LIKE)
    if has:
        return warned(f"the run-as user has the rights of an administrator: {', '.join(sorted(has))}",
                      "Setup, Users, Permission Sets: take away what the workload does not need")
    return passed("the run-as user has no rights of an administrator")


def run_5(scene: AppScene) -> Finding:
    """The run-as user's logins in the last hour."""
    user = scene.run_as_id
    if not user:
        return DARK
    count = scene.org.logins_since(user, (scene.org.time() or scene.place.now()) - timedelta(hours=1))
    if count > MOST_LOGINS:
        return warned(f"{count} logins in the last hour; at 3,600 Salesforce blocks the user",
                      "let the workload keep its token until it ends, in place of a login per call")
    return passed(f"{count} logins in the last hour")


def cls_1(scene: ClassicScene) -> Finding:
    """Somebody holds "Allow consumer key and secret rotation", without which nobody can rotate in Setup."""
    column = f"PermissionSet.Permissions{ROTATION_RIGHT}"
    soql = f"SELECT AssigneeId FROM PermissionSetAssignment WHERE {column} = true"  # noqa: S608 - constants
    holders = {str(row.get("AssigneeId")) for row in scene.place.org.query(soql)}
    if not holders:
        return failed("no user may rotate the key and secret of a connected app",
                      "Setup, Permission Sets: grant the operator Allow consumer key and secret rotation")
    return passed(f"{len(holders)} users may rotate key and secret in Setup")


def cls_2(scene: ClassicScene) -> Finding:
    """The app is a classic connected app, and whether an API rotates it (fact `classic_has_staged_api`, by a read)."""
    try:
        found = scene.place.org.find_classic(scene.app)
    except ConfigError as error:
        return failed(error.message, error.fix)
    if not found.assisted:
        return passed(f"the credentials resources know {scene.app}: it is rotated through the API")
    return warned(f"{scene.app} is a classic connected app: a human must rotate it in Setup",
                  "migrate it to an External Client App (App Manager), see that its pair still logs in, then set"
                  " kind = \"external_client_app\"")
