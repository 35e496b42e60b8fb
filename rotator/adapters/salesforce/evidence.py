"""Who holds tokens of an app, and what the org shows of an incident: reads alone, and nothing secret in what they give.

Reference sections 4 (listings), 8 (policies) and 9 (LoginHistory, SetupAuditTrail). Every column may be missing and
every look may be refused: what could not be seen is named, never an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from rotator.adapters.salesforce import queries, wire
from rotator.adapters.salesforce.ids import is_id, long_id, plain
from rotator.adapters.salesforce.queries import Found, quoted
from rotator.adapters.salesforce.rest import Rest
from rotator.adapters.salesforce.sessions import columns, listing, of_app
from rotator.adapters.salesforce.wire import Row
from rotator.domain.errors import ConfigError, NotFound, Refused, Unintelligible
from rotator.domain.pair import Consumer
from rotator.domain.session import Holders, Lever
from rotator.domain.sight import MOST_ROWS, Kind, Sight

_HOLDER_COLUMNS = ("AppName, UserId, AppMenuItemId, AppMenuItem.ApplicationId", "AppName, UserId")
_LOGIN_COLUMNS = (
    "Id, LoginTime, LoginType, LoginSubType, Application, Status, SourceIp, ApiType, ApiVersion, ClientVersion,"
    " Browser, Platform, CountryIso, TlsProtocol",
    "Id, LoginTime, LoginType, Application, Status, SourceIp",
)
_CHANGE_COLUMNS = ("CreatedDate, Action, Section, Display, CreatedBy.Username", "CreatedDate, Action, Section, Display")
_USER_COLUMNS = ("Username, Name, IsActive, UserType, Profile.Name", "Username, IsActive")
_SET_COLUMNS = ("PermissionSet.Name, PermissionSet.IsOwnedByProfile", "PermissionSetId")
_APP_COLUMNS = ("DeveloperName, MasterLabel, CreatedDate, LastModifiedDate", "DeveloperName, MasterLabel")
_POLICY_COLUMNS = ("PermittedUsersPolicyType, IpRelaxationPolicyType, ClientCredentialsFlowUser", "Id")
NO_CHANGES_SHOWN = ("SetupAuditTrail shows no entry of any age: the permission View Setup and Configuration is missing,"
                    " or the org keeps none")
_SEEN = 2000  # rows read of one kind
_LONGEST = 200  # characters of one value


def holders(rest: Rest, consumer: Consumer) -> Holders:
    """The users whom usage or OauthToken list for this app, and whom the flow runs as."""
    users: dict[str, None] = {}
    notes: list[str] = []
    complete = True
    for name, look in (("usage", _usage_users), ("OauthToken", _token_users)):
        try:
            found = look(rest, consumer)
        except (Refused, Unintelligible) as error:
            notes.append(f"{name}: could not be looked through: {error.message}")
            complete = False
            continue
        users |= dict.fromkeys(long_id(user) for user in _ids(found.rows))
        complete = complete and found.complete
    return Holders(tuple(users), _run_as(rest, consumer.app_id), complete, tuple(notes))


def _usage_users(rest: Rest, consumer: Consumer) -> Found:
    try:
        return queries.pages(rest, f"/apps/oauth/usage/{consumer.app_id}/users", "users", "listing the app's users")
    except NotFound:
        return Found(())


def _token_users(rest: Rest, consumer: Consumer) -> Found:
    found = columns(rest, "OauthToken", "", _HOLDER_COLUMNS, "listing who holds tokens")
    whole = found.complete and len(found.rows) < queries.OAUTHTOKEN_CAP
    return Found(tuple(row for row in found.rows if of_app(row, consumer)), whole)


def _ids(rows: Iterable[Row]) -> Iterable[str]:
    names = (wire.text(row, "userIdentifier", "UserId") for row in rows)
    return (name for name in names if is_id(name))


def _run_as(rest: Rest, app_id: str) -> str:
    """The policies name a user by id or by name (reference section 8, row 9)."""
    where = f"ExternalClientApplicationId = {quoted(app_id)}"
    try:
        rows = columns(rest, "ExtlClntAppOauthPlcyCnfg", where, ("ClientCredentialsFlowUser",), "the run-as user").rows
        user = next(filter(None, (wire.text(row, "ClientCredentialsFlowUser") for row in rows)), "")
        if is_id(user) or not user:
            return long_id(user) if user else ""
        named = columns(rest, "User", f"Username = {quoted(user)}", ("Id",), "the run-as user").rows
        return next((long_id(found) for found in (wire.text(row, "Id") for row in named) if is_id(found)), "")
    except (Refused, Unintelligible, ConfigError):
        return ""


def run_as_users(rest: Rest) -> Mapping[str, str]:
    """Whom each app's flow runs as, by the app's 0xI id and by its developer name: two queries for a whole org. A user
    is named as the org names it, by id or by name. Raises as a read does."""
    apps = queries.query(rest, "SELECT Id, DeveloperName FROM ExternalClientApplication", "listing the apps").rows
    soql = "SELECT ExternalClientApplicationId, ClientCredentialsFlowUser FROM ExtlClntAppOauthPlcyCnfg"
    users: dict[str, str] = {}
    for row in queries.query(rest, soql, "listing the run-as users").rows:
        app, user = wire.text(row, "ExternalClientApplicationId"), wire.text(row, "ClientCredentialsFlowUser")
        if is_id(app) and user:
            users[long_id(app)] = long_id(user) if is_id(user) else user
    names = {plain(row.get("DeveloperName")): wire.text(row, "Id") for row in apps}
    return users | {name: users[long_id(app)] for name, app in names.items() if is_id(app) and long_id(app) in users}


def sight(rest: Rest, consumer: Consumer, user_id: str, kind: Kind, since: datetime) -> Sight:
    """One kind of evidence. Raises Unavailable only."""
    look: dict[Kind, Callable[[Rest, Consumer, str, datetime], Sight]] = {
        Kind.SESSIONS: _sessions, Kind.LOGINS: _logins, Kind.TOKENS: _tokens, Kind.CHANGES: _changes,
        Kind.RIGHTS: _rights, Kind.APPS: _apps,
    }  # fmt: skip
    if kind not in (Kind.CHANGES, Kind.APPS) and not user_id:
        return Sight(kind, complete=False, notes=("the run-as user is not known yet",))
    try:
        return look[kind](rest, consumer, user_id, since)
    except (Refused, Unintelligible, ConfigError) as error:
        return Sight(kind, complete=False, notes=(f"could not be looked through: {error.message}",))


def _sessions(rest: Rest, consumer: Consumer, user_id: str, since: datetime) -> Sight:
    return _listed(rest, consumer, user_id, Kind.SESSIONS, (Lever.AUTHSESSION,))


def _tokens(rest: Rest, consumer: Consumer, user_id: str, since: datetime) -> Sight:
    return _listed(rest, consumer, user_id, Kind.TOKENS, (Lever.USAGE, Lever.OAUTHTOKEN))


def _listed(rest: Rest, consumer: Consumer, user_id: str, kind: Kind, levers: Iterable[Lever]) -> Sight:
    found = [listing(rest, consumer, user_id, lever) for lever in levers]
    grants = [grant for one in found for grant in one.grants]
    rows = ({"lever": g.lever.value, "ref": g.ref, "created": _iso(g.created)} for g in grants[:MOST_ROWS])
    notes = tuple(note for one in found for note in one.notes)
    return Sight(kind, len(grants), tuple(rows), {}, all(one.complete for one in found), notes)


def _logins(rest: Rest, consumer: Consumer, user_id: str, since: datetime) -> Sight:
    """Filtered by user and time alone: the rest takes no filter everywhere (reference 9)."""
    where = f"UserId = {quoted(user_id)} AND LoginTime >= {_iso(since)}"
    found = columns(rest, "LoginHistory", where, _LOGIN_COLUMNS, "listing LoginHistory", "LoginTime DESC", _SEEN)
    names = {consumer.label, consumer.app_name}
    rows = [row for row in found.rows if plain(row.get("Application")) in names]
    return _told(Kind.LOGINS, rows, found.complete, "SourceIp")


def _changes(rest: Rest, consumer: Consumer, user_id: str, since: datetime) -> Sight:
    found = columns(rest, "SetupAuditTrail", f"CreatedDate >= {_iso(since)}", _CHANGE_COLUMNS,
                    "listing SetupAuditTrail", "CreatedDate DESC", _SEEN)  # fmt: skip
    if not (found.rows or _shows_changes(rest)):
        return Sight(Kind.CHANGES, complete=False, notes=(NO_CHANGES_SHOWN,))
    return _told(Kind.CHANGES, found.rows, found.complete, "Action")


def _shows_changes(rest: Rest) -> bool:
    """Whether any entry, of whatever age, is shown: what a user without the right is told is unknown (reference 9)."""
    soql = "SELECT Action FROM SetupAuditTrail LIMIT 1"
    return bool(queries.query(rest, soql, "looking for any entry of SetupAuditTrail", 1).rows)


def _rights(rest: Rest, consumer: Consumer, user_id: str, since: datetime) -> Sight:
    """The user as it is now, then each permission set that it has: their names, and the profile's."""
    user = columns(rest, "User", f"Id = {quoted(user_id)}", _USER_COLUMNS, "the run-as user")
    sets = columns(rest, "PermissionSetAssignment", f"AssigneeId = {quoted(user_id)}", _SET_COLUMNS,
                   "listing the permission sets of the run-as user")  # fmt: skip
    return _told(Kind.RIGHTS, (*user.rows, *sets.rows), user.complete and sets.complete, "PermissionSet.Name")


def _apps(rest: Rest, consumer: Consumer, user_id: str, since: datetime) -> Sight:
    """All apps of the org, newest change first where it says so, then the policies of the consumer's app."""
    apps = columns(rest, "ExternalClientApplication", "", _APP_COLUMNS, "listing the apps", limit=_SEEN)
    where = f"ExternalClientApplicationId = {quoted(consumer.app_id)}"
    policies = columns(rest, "ExtlClntAppOauthPlcyCnfg", where, _POLICY_COLUMNS, "the app's policies")
    rows = sorted(apps.rows, key=lambda row: plain(row.get("LastModifiedDate")), reverse=True)
    return _told(Kind.APPS, (*policies.rows, *rows), apps.complete and policies.complete, "DeveloperName")


def _told(kind: Kind, rows: Iterable[Row], complete: bool, by: str) -> Sight:
    every = list(rows)
    counts = Counter(plain(row.get(by)) or "unknown" for row in every)
    newest = tuple(_flat(row) for row in every[:MOST_ROWS])
    return Sight(kind, len(every), newest, dict(counts.most_common(MOST_ROWS)), complete)


def _flat(row: Row) -> dict[str, str]:
    """The row's plain values as text, cut to a length; relationships as `Name.Field`."""
    flat: dict[str, str] = {}
    for name, value in row.items():
        inner = value.items() if isinstance(value, dict) else ()
        told = {k: v for k, v in inner if isinstance(v, str) and k not in ("type", "url")}
        flat |= {f"{name}.{k}": plain(v)[:_LONGEST] for k, v in told.items()}
        if isinstance(value, str | int | float | bool):
            flat[name] = plain(str(value))[:_LONGEST]
    return {name: value for name, value in flat.items() if value and not name.startswith("attributes")}


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""

