"""Checks of an app's OAuth policies, most of them seen by one login with the live pair (reference sections 1, 5, 8)."""

from __future__ import annotations

from datetime import timedelta

from rotator.checks.finding import Finding, failed, passed, unseen, warned
from rotator.checks.scene import AppScene
from rotator.domain.session import Probe

LONGEST_SESSION, LONGEST_JWT = 120, 30  # minutes
LONGEST_OVERLAP = timedelta(days=29)  # a Rotated pair is gone from its slot after 30 days (reference 6.6)
CLICK = "Setup, External Client App Manager, the app, Policies"
NO_LOGIN = unseen("only a login tells, and none succeeded", "see APP-6")
NOT_SHOWN = "the org does not show the app's OAuth policies"


def app_6(scene: AppScene) -> Finding:
    """A login and a real call with the pair in Vault."""
    entry = scene.entry
    if entry.login is None and entry.refused is None:
        return unseen(f"Vault holds no pair at {scene.target.path}", "the first rotation writes one")
    if entry.refused is not None:
        return failed(entry.refused.message, entry.refused.fix)
    if entry.login is None or not entry.login.accepted:
        return failed("Salesforce does not accept the pair in Vault",
                      f"see APP-3: `rotator adopt {scene.name}`; or see whether the app is blocked")
    if entry.probe is Probe.DEAD:
        return failed("the pair logs in, but its token does not work", f"{CLICK}: see the session policies")
    return passed(f"the pair in Vault logs in as user {entry.login.user_id}")


def app_7(scene: AppScene) -> Finding:
    """The scope allows the call that proves a token (`probe`)."""
    if scene.entry.code in ("no_scopes", "api_disabled"):
        return failed(f"the app's scopes do not allow the probe `{scene.probe}`",
                      "Setup, External Client App Manager, the app, Settings, OAuth Scopes: add Manage user data via"
                      " APIs (api); or change `probe`")  # fmt: skip
    return passed(f"the probe `{scene.probe}` works") if scene.entry.good else NO_LOGIN


def app_8(scene: AppScene) -> Finding:
    """The IP policy, seen by a real login from here."""
    if scene.entry.code == "ip_refused":
        return failed(scene.entry.refused.message if scene.entry.refused else "",
                      "Setup, Network Access or the profile's Login IP Ranges: allow the egress address; or set"
                      " `egress_proxy`")  # fmt: skip
    found = relaxation(scene)
    return found if not found.ok or scene.entry.good else NO_LOGIN


def relaxation(scene: AppScene) -> Finding:
    """The IP policy, as the org shows it."""
    policy = scene.policy("IpRelaxationPolicyType")
    if not isinstance(policy, str):
        return unseen(NOT_SHOWN, f"{CLICK}, IP Relaxation")
    if policy.lower().startswith("bypass"):
        return warned(f"the app's IP relaxation is {policy}: a leaked pair works from anywhere",
                      f"{CLICK}, IP Relaxation: Enforce IP restrictions")
    return passed(f"the app's IP relaxation is {policy}")


def app_9(scene: AppScene) -> Finding:
    """How long a session and a self-contained token may live: the exposure after a leak."""
    session, token = scene.policy("SessionTimeoutInMinutes"), scene.policy("NamedUserJwtTimeout")
    login = scene.entry.login
    if not isinstance(session, int | float) or login is None or not login.accepted:
        return unseen("the org does not show how long sessions of the app live", f"{CLICK}, Session Policies; APP-6")
    if login.self_contained:
        if not isinstance(token, int | float):
            return unseen("self-contained tokens, and the org does not show how long they live", f"{CLICK}, Named User")
        if token > LONGEST_JWT:
            return warned(f"self-contained tokens live {token:.0f} min, whatever is revoked",
                          f"{CLICK}: a timeout of at most {LONGEST_JWT} min for JWT access tokens")
        return passed(f"self-contained tokens live {token:.0f} min after a leak")
    if session > LONGEST_SESSION:
        return warned(f"a session lives {session:.0f} min after its last use",
                      f"{CLICK}, Session Timeout: at most {LONGEST_SESSION} min")
    return passed(f"a session lives {session:.0f} min after its last use, unless it is revoked")


def app_10(scene: AppScene) -> Finding:
    """Whether people hold tokens of the app: `force` would log them out."""
    held = scene.org.holders(scene.consumer)
    run_as = held.run_as or (scene.entry.login.user_id if scene.entry.login else "")
    people = [user for user in held.users if user[:15] != run_as[:15]]
    if people:
        return warned(f"{len(people)} other users hold tokens of the app: force refuses without --including-users",
                      "an External Client App of its own for the workload")
    if not held.complete or not run_as:
        return unseen("; ".join(held.notes) or "who holds tokens of the app is not shown whole",
                      "give the responder Customize Application and Manage Users")
    return passed("nobody but the run-as user holds tokens of the app")


def app_11(scene: AppScene) -> Finding:
    """The session policy action of the app (MD-opol `policyAction`: Block or RaiseSessionLevel)."""
    action = scene.place.actions.get(scene.consumer.app_id[:15], {"PolicyAction": ""}).get("PolicyAction")
    if action in ("Block", "RaiseSessionLevel"):
        return failed(f"the session policy action of the app is {action}: a workload cannot answer it",
                      f"{CLICK}, Session Policies, High assurance session required: off")
    return passed("no session policy stands in a workload's way")


def app_12(scene: AppScene) -> Finding:
    """Whether the permitted-users policy stands in the way (H-cc says it does not apply; some orgs refuse)."""
    if scene.entry.code == "not_approved":
        return warned("the org wants the run-as user to be approved for the app",
                      f"{CLICK}, Permitted Users: pre-authorise a permission set of the run-as user")
    return passed("the permitted-users policy does not stand in the way") if scene.entry.good else NO_LOGIN


def app_13(scene: AppScene) -> Finding:
    """Namespace and distribution state."""
    row = scene.place.origins.get(scene.consumer.app_id[:15])
    if row is None:
        return unseen("the org does not show where the app comes from", "Setup, External Client App Manager")
    if row.get("NamespacePrefix"):
        return failed(f"the app is installed from the package {row['NamespacePrefix']}: its pair is the publisher's",
                      "rotate it at the publisher")
    if str(row.get("DistributionState")).lower() == "packaged":
        return warned("the app is packaged: subscribers use this pair, and the publisher can get their tokens",
                      "an app for each org, distribution state Local")
    return passed("the app is local")


def app_14(scene: AppScene) -> Finding:
    """The overlap against the interval and the 30 days of a Rotated pair."""
    if scene.overlap > LONGEST_OVERLAP:
        return failed(f"overlap is {scene.overlap.days} days; Salesforce keeps an old pair 30 days",
                      "overlap = \"29d\" at most")
    if scene.overlap >= scene.interval:
        return failed(f"overlap {scene.overlap} is not shorter than the interval {scene.interval}",
                      "a shorter `overlap`, or a longer `every`")
    return passed(f"overlap {scene.overlap}, interval {scene.interval}")
