"""/services/Soap/m/NN.0: list, read and update of the Metadata API, as far as an app's OAuth switch needs them.

Reference 5.3 (ExtlClntAppConfigurablePolicies) and 5.4: the token stands in the envelope, a Bearer header counts for
nothing, faults are HTTP 500.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from rotator.simulator.org import tokens
from rotator.simulator.org.model import App, Org, User
from rotator.simulator.org.session import over_quota
from rotator.simulator.wire.call import Call, Reply

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PATH = re.compile(r"/services/Soap/m/(\d+\.0)/?")
METADATA = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
POLICIES, APPS, CLASSIC = "ExtlClntAppConfigurablePolicies", "ExternalClientApplication", "ConnectedApp"
SETTINGS = ("ConnectedAppSettings", "SecuritySettings")
SINCE = {POLICIES: 60.0, APPS: 59.0, CLASSIC: 29.0, SETTINGS[0]: 51.0, SETTINGS[1]: 27.0}
MOST = 10  # components of one read or update
TOO_MANY = f"record limit reached. cannot submit more than {MOST} records into this operation"
PLACES = {POLICIES: ("extlClntAppPolicies", "ecaPlcy"), APPS: ("externalClientApps", "eca"),
          CLASSIC: ("connectedApps", "connectedApp")}  # fmt: skip
# The documented order of the fields that this simulator keeps (reference 5.3).
FIELDS = ("fullName", "externalClientApplication", "isEnabled", "isOauthPluginEnabled", "label")


class Fault(Exception):
    """A SOAP fault: code and text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def answer(org: Org, call: Call) -> Reply:
    """One message to its reply; every refusal is a fault with HTTP 500."""
    try:
        return message(org, call)
    except Fault as fault:
        ours = fault.code.isupper()
        code = f"<faultcode>{'sf' if ours else 'soapenv'}:{fault.code}</faultcode>"
        text = f"<faultstring>{f'{fault.code}: ' if ours else ''}{escape(fault.text)}</faultstring>"
        return envelope(f'<soapenv:Envelope xmlns:sf="{METADATA}"', f"<soapenv:Fault>{code}{text}</soapenv:Fault>", 500)


def message(org: Org, call: Call) -> Reply:
    """Parses, authenticates, does what the first element of the body asks."""
    found = PATH.fullmatch(call.path)
    if found is None or float(found[1]) > org.newest_version:
        raise Fault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    try:
        root = fromstring(call.body)
    except (ParseError, DefusedXmlException):
        raise Fault("Client", "the message is not well-formed") from None
    user = caller(org, text(root, "sessionId"))
    body = next((part for part in root if local(part) == "Body"), None)
    asked = next(iter(body), None) if body is not None else None
    doings = {"listMetadata": listed, "readMetadata": read, "updateMetadata": update}
    if asked is None or local(asked) not in doings:
        raise Fault("Client", "No operation available for request")
    reply = doings[local(asked)](org, user, asked, float(found[1]))
    return reply


def caller(org: Org, session: str) -> User:
    """Whose session it is. Whether a self-contained token counts as one is unknown (reference 5.4); jsforce says no."""
    token = tokens.find(org, session)
    usable = token is not None and (not token.jwt or org.shapes.yes("soap_takes_jwt"))
    user = org.user(token.user) if token and usable else None
    if token is None or user is None or not user.active:
        raise Fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader")
    if "ApiEnabled" not in user.permissions:
        raise Fault("API_DISABLED_FOR_ORG", "API is not enabled for this user")
    if "ModifyMetadata" not in user.permissions:
        wanted = "the ModifyAllData or ModifyMetadata permissions"
        raise Fault("INSUFFICIENT_ACCESS", f"use of the Metadata API requires a user with {wanted}")
    if over_quota(org):
        raise Fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    tokens.touch(org, token)
    return user


# --- the three messages --------------------------------------------------------------------


def listed(org: Org, user: User, asked: Element, version: float) -> Reply:
    """listMetadata: file properties of every component of a type."""
    kinds = [known(text(query, "type"), version) for query in asked if local(query) == "queries"]
    found = [properties(org, kind, app) for kind in kinds for app in shown(org, user, kind)]
    return replied("listMetadata", org.dice.shuffled(found))


def read(org: Org, user: User, asked: Element, version: float) -> Reply:
    """readMetadata: the named components whole; an empty record for one that is not there."""
    kind = known(text(asked, "type"), version)
    if kind in SETTINGS:
        return replied("readMetadata", [f"<result><records>{org_settings(org, kind)}</records></result>"])
    names = [part.text or "" for part in asked if local(part) == "fullNames"]
    if len(names) > MOST:
        raise Fault("EXCEEDED_ID_LIMIT", TOO_MANY)
    apps = {name_of(org, kind, app): app for app in shown(org, user)}
    records = (component(org, kind, apps[name]) if name in apps else '<records xsi:nil="true"/>' for name in names)
    return replied("readMetadata", [f"<result>{''.join(records)}</result>"])


def org_settings(org: Org, kind: str) -> str:
    """The one component of a kind of settings, as far as sessions and approval go."""
    if kind == "ConnectedAppSettings":
        only = yes_no(org.approved_apps_only)
        return f"<fullName>ConnectedApp</fullName><enableAdminApprovedAppsOnly>{only}</enableAdminApprovedAppsOnly>"
    every, lock = yes_no(org.ip_ranges_every_request), yes_no(org.lock_sessions_to_ip)
    return (f"<fullName>Security</fullName><sessionSettings><enforceIpRangesEveryRequest>{every}"
            f"</enforceIpRangesEveryRequest><lockSessionsToIp>{lock}</lockSessionsToIp></sessionSettings>")  # fmt: skip


def update(org: Org, user: User, asked: Element, version: float) -> Reply:
    """updateMetadata: one result for each component; what is refused is a result too."""
    given = [part for part in asked if local(part) == "metadata"]
    if len(given) > MOST:
        raise Fault("EXCEEDED_ID_LIMIT", TOO_MANY)
    effects, results = set[str](), []
    for part in given:
        known(part.get(f"{{{XSI}}}type", "").rpartition(":")[2], version)
        effect, result = change(org, user, part)
        effects |= {effect} - {""}
        results.append(result)
    reply = replied("updateMetadata", results)
    reply.effect = " ".join(sorted(effects))
    return reply


def change(org: Org, user: User, part: Element) -> tuple[str, str]:
    """One component: what took effect, and the result that tells of it."""
    given = taken(org, part)
    app = next((app for app in shown(org, user) if name_of(org, POLICIES, app) == given.get("fullName")), None)
    if not user.permissions & {"ExternalClientAppAdmin", "ExternalClientAppDeveloper"}:
        return "", saved(given, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on cross-reference id")
    if app is None:
        return "", saved(given, "INVALID_CROSS_REFERENCE_KEY", f"no {POLICIES} named {given.get('fullName', '')} found")
    missing = [name for name in ("externalClientApplication", "isEnabled") if name not in given]
    if missing:
        return "", saved(given, "REQUIRED_FIELD_MISSING", f"Required field is missing: {missing[0]}")
    was = app.oauth_plugin_enabled
    app.enabled = given["isEnabled"] == "true"
    if "isOauthPluginEnabled" in given or org.shapes["metadata_update"] == "replace":
        app.oauth_plugin_enabled = given.get("isOauthPluginEnabled", "true") == "true"
    if "label" in given or org.shapes["metadata_update"] == "replace":
        app.policy_label = given.get("label", "")
    now = app.oauth_plugin_enabled
    org.note(user.id, "changedPolicies", f"Changed policies of {app.label}: OAuth plugin {'on' if now else 'off'}")
    return ("" if was == now else "unblock" if now else "block"), saved(given)


def taken(org: Org, part: Element) -> dict[str, str]:
    """The fields as the org takes them: where it is strict, one that stands out of order is dropped without a word."""
    given, last = dict[str, str](), -1
    for one in part:
        place = FIELDS.index(local(one)) if local(one) in FIELDS else -1
        if org.shapes["metadata_order"] == "strict" and place < last:
            continue
        given[local(one)], last = one.text or "", place
    return given


# --- how they are written --------------------------------------------------------------------


def known(kind: str, version: float) -> str:
    """The type, where this version has it."""
    if version < SINCE.get(kind, 999.0):
        raise Fault("INVALID_TYPE", f"This type of metadata is not available for this organization: {kind}")
    return kind


def shown(org: Org, user: User, kind: str = APPS) -> list[App]:
    """The apps whose components the user sees: all External Client Apps, or all classic ones."""
    return [app for app in org.apps if (app.kind == "connected_app") is (kind == CLASSIC) and app.listed]


def name_of(org: Org, kind: str, app: App) -> str:
    """The name of an app's component: nothing but its beginning can be foretold (reference 5.3)."""
    endings = {"plcy": "_plcy", "default_policy": "_defaultPolicy"}
    prefix = f"{app.namespace}__" if app.namespace else ""
    return prefix + app.developer_name + (endings[org.shapes["metadata_name"]] if kind == POLICIES else "")


def properties(org: Org, kind: str, app: App) -> str:
    """FileProperties."""
    name = escape(name_of(org, kind, app))
    folder, suffix = PLACES[kind]
    return (f"<result><createdById>{app.run_as}</createdById><createdByName>Admin</createdByName>"
            f"<createdDate>2026-01-01T00:00:00.000Z</createdDate><fileName>{folder}/{name}.{suffix}</fileName>"
            f"<fullName>{name}</fullName><id>{app.id}</id><lastModifiedById>{app.run_as}</lastModifiedById>"
            f"<lastModifiedByName>Admin</lastModifiedByName><lastModifiedDate>2026-01-01T00:00:00.000Z"
            f"</lastModifiedDate><namespacePrefix>{app.namespace}</namespacePrefix><type>{kind}</type>"
            "</result>")  # fmt: skip


def component(org: Org, kind: str, app: App) -> str:
    """A whole component."""
    values = {"fullName": name_of(org, kind, app), "externalClientApplication": app.developer_name,
              "isEnabled": yes_no(app.enabled), "isOauthPluginEnabled": yes_no(app.oauth_plugin_enabled),
              "label": app.policy_label or f"{app.label} policy"}  # fmt: skip
    if kind == APPS:
        values = {"fullName": app.developer_name, "label": app.label, "distributionState": "Local"}
    fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f'<records xsi:type="{kind}">{fields}</records>'


def yes_no(value: bool) -> str:
    return "true" if value else "false"


def saved(given: dict[str, str], code: str = "", text: str = "") -> str:
    """A SaveResult."""
    error = f"<errors><message>{escape(text)}</message><statusCode>{code}</statusCode></errors>" if code else ""
    name = f"<fullName>{escape(given.get('fullName', ''))}</fullName>"
    return f"<result>{error}{name}<success>{yes_no(not code)}</success></result>"


def replied(name: str, results: Iterable[str]) -> Reply:
    """The answer to a message."""
    start = f'<soapenv:Envelope xmlns="{METADATA}" xmlns:xsi="{XSI}"'
    return envelope(start, f"<{name}Response>{''.join(results)}</{name}Response>", 200)


def envelope(start: str, body: str, status: int) -> Reply:
    """The XML around a body."""
    text = (f'<?xml version="1.0" encoding="UTF-8"?>{start} xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
            f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>")  # fmt: skip
    return Reply(status, text.encode(), {"content-type": "text/xml;charset=UTF-8"})


def local(part: Element) -> str:
    """The name without its namespace."""
    return str(part.tag).rpartition("}")[2]


def text(part: Element, name: str) -> str:
    """The text of the first element of that name at any depth; empty where there is none."""
    return next((one.text or "" for one in part.iter() if local(one) == name), "")
