"""What logins leave behind, seen through three listings and ended by three levers (reference section 4).

None of them is known to show or to end client-credentials tokens (facts `tokens_listed_*`, `lever_*_ends`): all three
are read, what could not be looked through is named, and the canary decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rotator.adapters.salesforce import queries, wire
from rotator.adapters.salesforce.failures import TOKEN, Act, from_answer, said
from rotator.adapters.salesforce.ids import last_segment, long_id, opaque, plain, same
from rotator.adapters.salesforce.queries import Found, quoted
from rotator.adapters.salesforce.rest import Rest
from rotator.adapters.salesforce.wire import Row
from rotator.domain.errors import NotFound, Refused, Unintelligible
from rotator.domain.pair import Consumer
from rotator.domain.secret import Secret
from rotator.domain.session import Grant, Lever, Listing

REVOKE_PATH = "/services/oauth2/revoke"
SUB_TYPE = "OauthClientCredentials"  # LoginHistory.LoginSubType of the flow (reference section 9)

_TOKEN_COLUMNS = (
    "AppName, UserId, LastUsedDate, UseCount, CreatedDate, DeleteToken, AppMenuItemId, AppMenuItem.ApplicationId",
    "AppName, UserId, LastUsedDate, UseCount, CreatedDate, DeleteToken",
    "AppName, UserId, DeleteToken",
)
_SESSION_COLUMNS = "Id, UsersId, SessionType, LoginType, CreatedDate, LoginHistoryId, IsCurrent"
_JOINED = ", LoginHistory.Application, LoginHistory.LoginSubType"


def listing(rest: Rest, consumer: Consumer, user_id: str, lever: Lever, own: Iterable[str] = ()) -> Listing:
    """What one lever knows of this app and user; where the org refuses the look it is blind, with a note. `own`: the
    rotator's users beside the one that looks."""
    look = {Lever.USAGE: _usage, Lever.OAUTHTOKEN: _oauth_tokens, Lever.AUTHSESSION: _auth_sessions}[lever]
    try:
        me = user_id if any(same(user_id, one) for one in own) else rest.me().user_id
        return look(rest, consumer, user_id, me)
    except (Refused, Unintelligible) as error:  # Unavailable goes up: look again later
        note = f"{lever}: could not be looked through: {error.message}"
        return Listing(blind=frozenset({lever}), complete=False, notes=(note,))


def _usage(rest: Rest, consumer: Consumer, user_id: str, me: str) -> Listing:
    """GET usage/{app}/{user}/tokens; a 404 means that there are none."""
    path = f"/apps/oauth/usage/{consumer.app_id}/{user_id}/tokens"
    try:
        found = queries.pages(rest, path, "tokens", "listing the app's usage tokens")
    except NotFound:
        return Listing()
    ids = {token: row for row in found.rows if (token := _usage_id(row))}
    nameless = sum(not _usage_id(row) for row in found.rows)
    notes = (f"{Lever.USAGE}: {nameless} tokens without an id cannot be ended one by one",) if nameless else ()
    grants = tuple(
        Grant(Lever.USAGE, ref, Secret(ref), user_id, wire.moment(row.get("initialConnectionAt")), same(user_id, me))
        for ref, row in ids.items()
    )
    # The same token on two pages: the listing moved while we read it, and may have hidden another.
    return Listing(grants, found.complete and not nameless and len(ids) == len(found.rows), notes=notes)


def _usage_id(row: Row) -> str:
    """The token's id stands in revocationUrl, which the docs call a GET although only DELETE works (4.3)."""
    return last_segment(row.get("revocationUrl"), "tokens") or opaque(wire.text(row, "tokenId", "id"))


def _oauth_tokens(rest: Rest, consumer: Consumer, user_id: str, me: str) -> Listing:
    where = f"UserId = {quoted(user_id)}"
    found = columns(rest, "OauthToken", where, _TOKEN_COLUMNS, "listing OauthToken")
    complete = found.complete
    if complete and len(found.rows) >= queries.OAUTHTOKEN_CAP:
        complete = queries.count(rest, "OauthToken", where, "counting OauthToken") <= len(found.rows)
    ours = [row for row in found.rows if of_app(row, consumer) and wire.text(row, "DeleteToken")]
    grants = tuple(
        Grant(
            Lever.OAUTHTOKEN,
            _token_ref(row, number),
            Secret(wire.text(row, "DeleteToken")),
            user_id,
            wire.moment(row.get("CreatedDate")),
            same(user_id, me),
        )
        for number, row in enumerate(ours, 1)
    )
    notes = () if complete else (f"{Lever.OAUTHTOKEN}: more rows than a query gives; some were not seen",)
    return Listing(grants, complete, notes=notes)


def _token_ref(row: Row, number: int) -> str:
    """A public name for a row that has none: its Id is always null, and its DeleteToken is a secret."""
    created = wire.moment(row.get("CreatedDate"))
    return f"{created.isoformat() if created else 'undated'}#{number}"


def of_app(row: Row, consumer: Consumer) -> bool:
    """By the app's id where the row names it, else by the app's label: ids first, never a label against an id."""
    application = wire.nested(row, "AppMenuItem", "ApplicationId")
    if application:
        return same(application, consumer.app_id)
    return plain(row.get("AppName")) in _names(consumer)


def _names(consumer: Consumer) -> set[str]:
    return {name for name in (consumer.label, consumer.app_name) if name}


def _auth_sessions(rest: Rest, consumer: Consumer, user_id: str, me: str) -> Listing:
    """AuthSession knows no app: the login behind each session does (reference 4.2)."""
    where = f"UsersId = {quoted(user_id)}"
    choices = (_SESSION_COLUMNS + _JOINED, _SESSION_COLUMNS)
    found = columns(rest, "AuthSession", where, choices, "listing AuthSession")
    logins = {} if any("LoginHistory" in row for row in found.rows) else _logins(rest, user_id, found.rows)
    behind = [(row, _login_behind(row, logins)) for row in found.rows]
    ours = [row for row, login in behind if _login_of_app(login, consumer)]
    orphans = sum(not login for _, login in behind)
    notes = (f"{Lever.AUTHSESSION}: {orphans} sessions whose login is not shown could be ours",) if orphans else ()
    grants = tuple(
        Grant(
            Lever.AUTHSESSION,
            long_id(wire.text(row, "Id")),
            Secret(long_id(wire.text(row, "Id"))),
            user_id,
            wire.moment(row.get("CreatedDate")),
            row.get("IsCurrent") is True or same(user_id, me),
        )
        for row in ours
        if opaque(wire.text(row, "Id"))
    )
    return Listing(grants, found.complete and not orphans, notes=notes)


def _login_behind(row: Row, logins: dict[str, Row]) -> Row:
    joined = row.get("LoginHistory")
    return joined if isinstance(joined, dict) else logins.get(long_id(wire.text(row, "LoginHistoryId")), {})


def _login_of_app(login: Row, consumer: Consumer) -> bool:
    fits = plain(login.get("Application")) in _names(consumer)
    return fits and wire.text(login, "LoginSubType") in (SUB_TYPE, "")


def _logins(rest: Rest, user_id: str, sessions: Iterable[Row]) -> dict[str, Row]:
    """The user's logins since the oldest session; Application takes no filter, so the rest is sorted out here."""
    began = [moment for row in sessions if (moment := wire.moment(row.get("CreatedDate")))]
    if not began:
        return {}
    # A minute of slack: the login is written before the session.
    since = datetime.fromtimestamp(min(began).timestamp() - 60, min(began).tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ")
    where = f"UserId = {quoted(user_id)} AND LoginTime >= {since}"
    choices = ("Id, Application, LoginSubType", "Id, Application")
    found = columns(rest, "LoginHistory", where, choices, "listing LoginHistory")
    return {long_id(wire.text(row, "Id")): row for row in found.rows}


def columns(rest: Rest, source: str, where: str, choices: tuple[str, ...], what: str, order: str = "",
            limit: int = 10_000) -> Found:
    """The query with the most columns that the org takes (reference 12: retry with fewer)."""
    for named in choices[:-1]:
        try:
            return queries.query(rest, _select(named, source, where, order), what, limit)
        except Refused as error:
            if error.http_status != 400:
                raise
    return queries.query(rest, _select(choices[-1], source, where, order), what, limit)


def _select(named: str, source: str, where: str, order: str) -> str:
    """Built of constants and `quoted` alone."""
    rest = (f" WHERE {where}" if where else "") + (f" ORDER BY {order}" if order else "")
    return f"SELECT {named} FROM {source}{rest}"  # noqa: S608


def end(rest: Rest, grant: Grant) -> None:
    """Ends one grant by its lever; already gone is success. Raises as a write does."""
    if grant.own:
        raise Refused("this is the rotator's own session: ending it would log the rotator out", code="own_session")
    handle = grant.handle.reveal()
    if grant.lever is Lever.OAUTHTOKEN:
        _revoke(rest, grant.handle)
        return
    path = {Lever.USAGE: "/apps/oauth/usage/tokens/", Lever.AUTHSESSION: "/sobjects/AuthSession/"}[grant.lever]
    if not opaque(handle):
        raise Refused("a grant has an id that cannot stand in a path")
    try:
        rest.call("DELETE", path + handle, f"ending a grant by {grant.lever}", act=Act.WRITE)
    except NotFound:
        return


def _revoke(rest: Rest, token: Secret) -> None:
    """POST revoke, the token in the body; no login of ours is involved (reference section 2)."""
    what = "revoking a token"
    answer = rest.bare("POST", REVOKE_PATH, what, act=Act.WRITE, form={"token": token.reveal()})
    gone = answer.status == 400 and said(answer).code in ("invalid_token", "unsupported_token_type")
    if not (gone or 200 <= answer.status <= 299):
        raise from_answer(answer, what, TOKEN, act=Act.WRITE, secrets=(token,))
