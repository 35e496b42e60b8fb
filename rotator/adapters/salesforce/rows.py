"""The rows of the failure table: what each refusal of Salesforce means and what the operator does about it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What to do next; on a write, DOWN, ODD and REDIRECT leave the outcome unknown."""

    REFUSED = "refused"
    NOT_FOUND = "not_found"
    SLOT_TAKEN = "slot_taken"
    BUSY = "busy"  # throttled: proves that nothing was done
    DOWN = "down"
    REDIRECT = "redirect"
    ODD = "odd"


class Row(NamedTuple):
    """Fits a status from low to high whose code or description holds one of the words (none: any)."""

    low: int
    high: int
    words: tuple[str, ...]
    kind: Kind
    code: str
    message: str
    fix: str = ""


_HOST = "set `host` to the address that Setup shows under My Domain"

# What fits any resource: statuses that do not depend on words.
_EDGE = (
    Row(300, 399, (), Kind.REDIRECT, "redirect", "the host answers with a redirect, which is never followed", _HOST),
    Row(408, 408, (), Kind.DOWN, "unavailable", "the org took too long"),
    Row(429, 429, (), Kind.BUSY, "throttled", "the org throttles us"),
    Row(500, 599, (), Kind.DOWN, "unavailable", "the org is down or in maintenance"),
)

# REST and Connect REST (reference 6.7, 7).
REST = (
    Row(
        400, 429, ("request_limit_exceeded", "totalrequests limit"), Kind.BUSY, "api_limit",
        "the org's daily API requests are used up",
        "free API quota: see Setup, System Overview; the rotator goes on when the org answers again",
    ),
    *_EDGE,
    Row(
        401, 401, (), Kind.REFUSED, "own_session", "the org does not accept the rotator's own, fresh token",
        "see Setup, Login History of the rotator's user: session policy, IP ranges, API access",
    ),
    Row(
        403, 403,
        ("functionality_not_enabled", "not currently enabled", "feature is not enabled", "not enabled for this user"),
        Kind.REFUSED, "secret_access", "the org does not let the rotator read or stage consumer secrets",
        'in Setup, External Client App Settings, turn on "Allow access to External Client App consumer secrets via '
        'REST API", and give the rotator\'s user "Create, edit, and delete External Client Apps" and "View Client '
        'Secret"',
    ),
    Row(
        403, 403, ("api_disabled", "api_currently_disabled", "api is not enabled"), Kind.REFUSED, "api_disabled",
        "the token may not use the API",
        'give the run-as user "API Enabled" and the app the OAuth scope "api"',
    ),
    Row(
        403, 403, ("invalid_ip", "ip range", "ip restricted", "outside the range"), Kind.REFUSED, "ip_refused",
        "the org does not accept our network address",
        "allow the rotator's egress address in the app's policies and the user's login IP ranges, or set "
        "`egress_proxy`",
    ),
    Row(
        403, 403, ("insufficient_access",), Kind.REFUSED, "permission", "the rotator's user lacks a permission",
        "give it the shipped permission set; `rotator check` names what is missing",
    ),
    Row(
        403, 403, (), Kind.REFUSED, "forbidden", "the org forbids it",
        "run `rotator check`; see Setup, Login History of the user for the cause",
    ),
    Row(404, 404, (), Kind.NOT_FOUND, "not_found", "the org does not know it"),
    Row(409, 409, (), Kind.REFUSED, "conflict", "it conflicts with what stands there", "look in Setup, then run again"),
    Row(400, 499, (), Kind.REFUSED, "bad_request", "the org does not take this request"),
    Row(0, 999, (), Kind.ODD, "unintelligible", "the answer has a status that makes no sense here"),
)  # fmt: skip

# POST staged: what it says where the slot is full is written down nowhere (reference 6.7, 13).
STAGE = (
    Row(409, 409, (), Kind.SLOT_TAKEN, "slot_taken", "the staged slot is taken"),
    Row(
        400, 400, ("duplicate", "already exist", "already staged", "already has"), Kind.SLOT_TAKEN, "slot_taken",
        "the staged slot is taken",
    ),
    *REST,
)  # fmt: skip

# The Metadata API: faults are HTTP 500, and a refusal of one component is put here as a 400 (reference 5.4).
SOAP = (
    Row(
        400, 500, ("invalid_session_id",), Kind.REFUSED, "soap_session",
        "the Metadata API does not take the responder's own, fresh token",
        "turn off JWT-based access tokens in the app that the responder logs in with; see Setup, Login History",
    ),
    Row(
        400, 500, ("insufficient_access", "modifymetadata", "insufficient access"), Kind.REFUSED, "metadata_permission",
        "the responder's user may not change app policies through the Metadata API",
        'give it the shipped permission set for the responder: "Modify Metadata Through Metadata API Functions" and '
        '"View all External Client Apps, view their settings, and edit their policies"',
    ),
    Row(
        400, 500, ("request_limit_exceeded", "totalrequests limit"), Kind.BUSY, "api_limit",
        "the org's daily API requests are used up",
        "free API quota: see Setup, System Overview; the rotator goes on when the org answers again",
    ),
    Row(
        400, 500, ("api_disabled",), Kind.REFUSED, "api_disabled", "the responder may not use the API",
        'give the responder\'s user "API Enabled"',
    ),
    Row(
        400, 500, ("invalid_type", "unsupported_api_version", "invalid api version"), Kind.REFUSED, "metadata_version",
        "this API version does not know policies of External Client Apps",
        "raise `api_version` in the org's table to what the org offers",
    ),
    Row(400, 500, ("unable_to_lock_row",), Kind.BUSY, "busy", "somebody else is changing the app"),
    Row(400, 400, ("server_unavailable", "unknown_exception"), Kind.DOWN, "unavailable", "the org failed to save it"),
    *REST,
)  # fmt: skip

_LOGIN_HISTORY = "see Setup, Login History, for the cause"

# The token endpoint (reference 1). invalid_client and invalid_client_id are no error here: they are the answer.
TOKEN = (
    *_EDGE,
    Row(
        400, 499, ("rate_limit", "login rate", "login_rate"), Kind.BUSY, "login_rate",
        "too many logins: 3,600 an hour and user", "let the workloads reuse their tokens; the rotator tries again",
    ),
    Row(400, 499, ("server_error", "temporarily_unavailable"), Kind.DOWN, "unavailable", "the org cannot log in now"),
    Row(
        400, 499, ("not supported on this domain",), Kind.REFUSED, "wrong_host",
        "the host is not the org's My Domain", _HOST,
    ),
    Row(
        400, 499, ("no client credentials user",), Kind.REFUSED, "run_as_missing",
        "the app has no usable run-as user",
        "in the app's policies, turn on the client credentials flow and name an active run-as user that is API Only",
    ),
    Row(
        400, 499, ("unsupported_grant_type", "flow not enabled", "unauthorized_client"), Kind.REFUSED, "flow_disabled",
        "the client credentials flow is off",
        "turn it on in both places: the app's OAuth settings and its OAuth policies",
    ),
    Row(
        400, 499, ("no valid scopes",), Kind.REFUSED, "no_scopes", "the app has no usable OAuth scope",
        'add the scope "Manage user data via APIs (api)" to the app',
    ),
    Row(
        400, 499, ("oauth_app_blocked", "blocked by admin"), Kind.REFUSED, "app_blocked", "the app is blocked",
        "unblock it in Setup, Connected Apps OAuth Usage",
    ),
    Row(
        400, 499, ("invalid_app_access", "hasn't approved", "not admin approved"), Kind.REFUSED, "not_approved",
        "the user is not approved for the app",
        "pre-authorise the run-as user by a permission set or profile in the app's policies",
    ),
    Row(
        400, 499, ("inactive_user", "inactive user", "user is inactive"), Kind.REFUSED, "run_as_inactive",
        "the run-as user is not active", "reactivate or unfreeze the run-as user",
    ),
    Row(
        400, 499, ("inactive_org", "org is inactive"), Kind.REFUSED, "org_inactive", "the org is not active",
        "ask Salesforce for the state of the org",
    ),
    Row(
        400, 499, ("ip restricted", "ip range", "invalid_ip"), Kind.REFUSED, "ip_refused",
        "the org does not accept our network address",
        "allow the rotator's egress address in the app's policies, or set `egress_proxy`",
    ),
    Row(
        400, 499, ("invalid assertion", "invalid_assertion", "expired authorization"), Kind.REFUSED, "assertion",
        "the org does not accept the signed assertion",
        "check username, audience, key and clock: the certificate in the app must belong to `key_file`",
    ),
    Row(
        400, 499, ("authentication failure",), Kind.REFUSED, "authentication_failure", "the login failed",
        _LOGIN_HISTORY,
    ),
    Row(400, 499, (), Kind.REFUSED, "login_refused", "the org refuses the login", _LOGIN_HISTORY),
    Row(0, 999, (), Kind.ODD, "unintelligible", "the answer has a status that makes no sense here"),
)  # fmt: skip
