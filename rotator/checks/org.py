"""Checks of an org and of the rotator's identity there (salesforce.md section 8: how each is seen)."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from rotator.checks.finding import Finding, failed, passed, unseen, warned
from rotator.checks.scene import OrgScene
from rotator.domain import facts
from rotator.domain.errors import Refused

LEAST_API = 65.0  # the first version with staged credentials
LEAST_QUOTA = 0.1
SLOW_CLOCK, WRONG_CLOCK = 5.0, 60.0  # seconds
# Editions whose documentation names staged credentials, and Enterprise, which it seems to forget (reference 8, row 15).
EDITIONS = ("Professional", "Performance", "Unlimited", "Developer", "Enterprise")
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
    """The org is the one that was met before, and of an edition that has the feature."""
    try:
        user = scene.org.user_id  # logs in
    except Refused as error:
        if error.code == "org_mismatch":
            return failed(error.message, error.fix)
        raise
    rows = scene.org.query("SELECT OrganizationType, IsSandbox FROM Organization")
    edition = str(rows[0].get("OrganizationType") or "") if rows else ""
    if edition and not edition.startswith(EDITIONS):
        return warned(f"org {scene.org.org_id} is a {edition}, for which staged credentials are not documented",
                      "ask Salesforce whether the edition has staged credentials; ORG-5 tells by a look")
    return passed(f"org {scene.org.org_id}{f', {edition}' if edition else ''}, as user {user}")


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




def org_4(scene: OrgScene) -> Finding:
    """The org's clock, from the `Date` of its answers, against ours."""
    scene.org.versions()
    theirs = scene.org.time()
    if theirs is None:
        return unseen("the org's answers have no date", "see what stands between the rotator and the org")
    apart = abs((theirs - scene.now()).total_seconds())
    fix = "`timedatectl set-ntp true`, or another time service, on this machine"
    if apart > WRONG_CLOCK:
        return failed(f"our clock and the org's are {apart:.0f} s apart", fix)
    if apart > SLOW_CLOCK:
        return warned(f"our clock and the org's are {apart:.0f} s apart", fix)
    return passed("our clock and the org's agree")


def org_6(scene: OrgScene) -> Finding:
    """Whether only approved apps may call the API (ConnectedAppSettings.enableAdminApprovedAppsOnly), and ours is."""
    try:
        _ = scene.org.user_id
    except Refused as error:
        if error.code in ("not_approved", "app_blocked"):
            return failed(error.message, "Setup, Connected Apps OAuth Usage: install or unblock the rotator's own app")
        raise
    only = scene.org.org_settings("ConnectedAppSettings", "ConnectedApp").get("enableAdminApprovedAppsOnly") == "true"
    return passed(f"the rotator's own app may log in{'; only approved apps may' if only else ''}")


def org_7(scene: OrgScene) -> Finding:
    """Whether the org ties a session to its IP address (SecuritySettings.sessionSettings)."""
    told = scene.org.org_settings("SecuritySettings", "Security")
    tied = [name for name in ("lockSessionsToIp", "enforceIpRangesEveryRequest")
            if told.get(f"sessionSettings.{name}") == "true"]  # fmt: skip
    if tied:
        return warned(f"the org sets {' and '.join(tied)}: a session from another egress address is refused",
                      "pin the egress to one address (`egress_proxy`), or Setup, Session Settings: turn it off")
    return passed("sessions are not tied to an address")


def org_8(scene: OrgScene) -> Finding:
    """The facts that the configuration states, and those that were seen: they agree, and are not too old."""
    seen = {one.fact: one for one in scene.profile()}
    again = f"`rotator calibrate {scene.name} --app CANARY`"
    differ = [f"{name} ({value}, seen: {seen[name].value})" for name, value in scene.stated.items()
              if name in seen and seen[name].value not in (value, "unknown")]  # fmt: skip
    if differ:
        return warned(f"the configuration states otherwise than was seen: {', '.join(differ)}",
                      f"correct [orgs.{scene.name}.facts], or {again} once more")
    old = [name for name, one in seen.items() if scene.now() - datetime.fromisoformat(one.seen_at) > facts.LIFE]
    if old:
        return warned(f"seen more than {facts.LIFE.days} days ago: {', '.join(old)}", again)
    release = scene.release() if seen else ""
    newest = scene.org.versions()[-1] if release else ""
    if release != newest:
        return warned(f"calibrated on release {release} of Salesforce; the org has {newest}", again)
    return passed(f"{len(seen)} facts seen, {len(scene.stated)} stated; they agree")
