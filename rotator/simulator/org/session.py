"""Who calls: from a Bearer header to a user, or the 401 and 403 that REST and Connect give."""

from __future__ import annotations

from typing import NamedTuple

from rotator.simulator.org import tokens
from rotator.simulator.org.model import App, Org, SalesforceError, Token, User
from rotator.simulator.org.oauth import granted_scopes
from rotator.simulator.wire.call import Call


class Caller(NamedTuple):
    """The token, its user and its app."""

    token: Token
    user: User
    app: App


def caller(org: Org, call: Call) -> Caller:
    """Authenticate a REST request; SalesforceError 401 for a dead token, 403 when it may not use the API."""
    token = tokens.find(org, call.bearer())
    user = org.user(token.user) if token else None
    app = org.app(token.app) if token else None
    if token is None or user is None or app is None or not user.active:
        raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if "ApiEnabled" not in user.permissions or "api" not in granted_scopes(app).split():
        raise SalesforceError(403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
    if app.ip_refused:
        raise SalesforceError(403, "INVALID_IP_RANGE", "The source address is outside the range of this app")
    count(org)
    tokens.touch(org, token)
    return Caller(token, user, app)


def over_quota(org: Org) -> bool:
    """Counts a request, and says whether it is one too many of the day."""
    org.calls_today += 1
    return org.calls_today > org.daily_limit


def count(org: Org) -> None:
    """The daily quota: 403 or 429 when it is used up (reference 11.17)."""
    if over_quota(org):
        message = "TotalRequests Limit exceeded."
        raise SalesforceError(int(org.shapes["quota_error"]), "REQUEST_LIMIT_EXCEEDED", message)


def limit_info(org: Org) -> str:
    """The value of `Sforce-Limit-Info` (reference section 7)."""
    plain = f"api-usage={org.calls_today}/{org.daily_limit}"
    more = {"bursts": "; api-bursts=1/750", "per_app": "; per-app-api-usage=17/250(appName=sample)"}
    return plain + more.get(org.shapes["limit_header"], "")
