"""Checks of the rotator's own identities in an org."""

from __future__ import annotations

from rotator.checks.finding import Finding, failed, passed, unseen, warned
from rotator.checks.rights import ADMIN_LIKE, IMPLIES_ADMIN, ONLY_API, TO_BLOCK, TO_END_SESSIONS, TO_ROTATE, held
from rotator.checks.scene import AppScene, OrgScene, OwnScene
from rotator.domain.errors import Refused

SETS = "assign the permission set {} (config/permission-sets; profiles count as well)"
ADMINS, RESPONDERS = SETS.format("Rotator_Admin"), SETS.format("Rotator_Responder")


def adm_1(scene: OrgScene) -> Finding:
    """The permissions of the admin identity: it may stage, rotate and delete pairs, and see secrets."""
    has = held(scene.org, scene.org.user_id, (*TO_ROTATE, *ADMIN_LIKE))
    missing = [name for name in TO_ROTATE if name not in has]
    if missing:
        return failed(f"the rotator's user lacks {', '.join(missing)}", ADMINS)
    more = [name for name in ADMIN_LIKE if name in has]
    if more:
        return warned(f"the rotator's user has more than it needs: {', '.join(more)}",
                      f"Setup, Users: give it a profile without {', '.join(more)}; {ADMINS}")
    return passed(f"{len(TO_ROTATE)} permissions, as needed")


def adm_2(scene: OrgScene) -> Finding:
    """The permissions of the responder, which may be the same user: it may end sessions; and turn an app's OAuth
    switch, which only an incident needs."""
    has = held(scene.org, scene.org.responder_id, (*TO_END_SESSIONS, *TO_BLOCK, IMPLIES_ADMIN))
    has |= {"ExternalClientAppAdmin"} if IMPLIES_ADMIN in has else frozenset()
    missing = [name for name in TO_END_SESSIONS if name not in has] if scene.sessions else []
    if missing:
        return failed(f"the responder's user lacks {', '.join(missing)} to end sessions", RESPONDERS)
    missing = [name for name in TO_BLOCK if name not in has]
    if missing:
        what = "`block` and `force --block-first` will be refused"
        return warned(f"the responder's user lacks {', '.join(missing)}: {what}", RESPONDERS)
    return passed("ends sessions and turns the OAuth switch of apps")


def adm_3(scene: OrgScene) -> Finding:
    """Both identities are API Only, and log in from here."""
    try:
        users = (scene.org.user_id, scene.org.responder_id)
        loose = [user for user in dict.fromkeys(users) if not held(scene.org, user, (ONLY_API,))]
    except Refused as error:
        if error.code == "ip_refused":
            return failed(error.message, "Setup, Profiles, Login IP Ranges: add the egress address of the rotator")
        raise
    if loose:
        return warned(f"not API Only: {', '.join(loose)}",
                      "Setup, Permission Sets: grant API Only User (PermissionsApiUserOnly)")
    return passed("API Only, and inside the login IP ranges: it logs in from here")


def adm_4(scene: AppScene) -> Finding:
    """The rotator's own key is not among the targets."""
    if scene.primary in scene.place.own_keys():
        return failed("this is the consumer that the rotator itself logs in with",
                      "make an External Client App for the rotator alone, and name its pair under `admin`")
    return passed("not the rotator's own consumer")


def adm_5(scene: OrgScene) -> Finding:
    """The age of the rotator's own pair."""
    since = scene.own_since()
    if since is None:
        return unseen("nobody wrote down when the rotator's own pair was made",
                      "let the second identity rotate it (`spare`), or write `rotated_at` beside it in Vault")
    age = scene.now() - since
    if age > scene.own_max_age:
        return warned(f"the rotator's own pair is {age.days} days old, more than {scene.own_max_age.days}",
                      f"`rotator rotate {scene.name}/admin`: the second identity (`spare`) does it")
    return passed(f"the rotator's own pair is {max(age.days, 0)} days old")


def adm_6(scene: OwnScene) -> Finding:
    """The identity that rotates one of the rotator's own pairs: it logs in with another consumer, and may do it."""
    has = held(scene.org, scene.org.user_id, TO_ROTATE)
    missing = [name for name in TO_ROTATE if name not in has]
    if missing:
        return failed(f"the user of `{scene.rotates}` lacks {', '.join(missing)}", ADMINS)
    has = held(scene.org, scene.org.responder_id, TO_END_SESSIONS)
    missing = [name for name in TO_END_SESSIONS if name not in has]
    if missing:
        return failed(f"whoever ends the sessions of {scene.name} lacks {', '.join(missing)}: without a `responder`"
                      f" that is the user of `{scene.rotates}`", RESPONDERS)
    if scene.primary == scene.org.own_key:
        return failed(f"`{scene.rotates}` logs in with the very pair that it is to rotate",
                      "make a second External Client App with a user of its own, and name its pair under `spare`")
    return passed(f"`{scene.rotates}` can rotate {scene.name}")
