"""The HTTP face of one org: finds the handler, authenticates, writes errors, adds the headers of every answer."""

from __future__ import annotations

from functools import partial

from rotator.simulator.org import connect, oauth, render, rest, soap
from rotator.simulator.org.model import OAuthError, Org, SalesforceError
from rotator.simulator.org.session import caller, limit_info
from rotator.simulator.wire.call import Call, Handler, MethodNotAllowed, Reply, Router, as_json

ROUTER = Router()
rest.routes(ROUTER)
connect.routes(ROUTER)
OPEN: dict[tuple[str, str], Handler] = {
    ("POST", "/services/oauth2/token"): oauth.token,
    ("POST", "/services/oauth2/revoke"): oauth.revoke,
    ("GET", "/services/oauth2/revoke"): oauth.revoke,
    ("GET", "/services/oauth2/userinfo"): oauth.userinfo,
    ("POST", "/services/oauth2/userinfo"): oauth.userinfo,
    ("POST", "/services/oauth2/introspect"): oauth.introspect,
}


def answer(org: Org, call: Call) -> Reply:
    """One request to its reply, errors included."""
    try:
        reply = dispatch(org, call)
    except SalesforceError as error:
        reply = render.error(org, error.status, error.code, error.message)
    except OAuthError as error:
        reply = as_json({"error": error.error, "error_description": error.description}, error.status)
    reply.headers.setdefault("Date", org.clock.http_date())
    reply.headers["X-SFDC-Request-Id"] = org.dice.text(32, "0123456789abcdef")
    if call.path.startswith("/services/data/"):
        reply.headers["Sforce-Limit-Info"] = limit_info(org)
    return reply


def dispatch(org: Org, call: Call) -> Reply:
    """The open endpoints first, then the ones behind a token."""
    opened = OPEN.get((call.method, call.path))
    if opened:
        return opened(org, call)
    if call.path.rstrip("/") == "/services/data" and call.method == "GET":
        return rest.versions(org)
    if call.path.startswith("/services/Soap/m/") and call.method == "POST":
        return soap.answer(org, call)
    if call.path.startswith("/id/"):
        who = caller(org, call)
        return as_json(oauth.claims_of(org, who.user, call))
    return behind_token(org, call)


def behind_token(org: Org, call: Call) -> Reply:
    """REST and Connect."""
    who = caller(org, call)
    try:
        found = ROUTER.find(call.method, call.path)
    except MethodNotAllowed:
        raise SalesforceError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.") from None
    if found is None or float(found[1]["version"]) > org.newest_version:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    handler, groups = found
    return partial(handler, org, call, who)(**groups)


def trap(call: Call) -> Reply:
    """A login.-like host: every token request is for another domain (reference section 1)."""
    if call.path == "/services/oauth2/token":
        text = "request not supported on this domain"
        return as_json({"error": "invalid_grant", "error_description": text}, 400)
    return Reply(404, b"<html>not here</html>", {"content-type": "text/html"})
