"""The listings that name apps, each as a walk page by page (reference 4.1, 4.3, 5.4, 6.1, 8, 9). Reads alone.

Every listing gives `Mention`s, and in the end whether these were all. Columns that an org does not know are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rotator.adapters.salesforce import queries, wire
from rotator.adapters.salesforce.ids import is_id, long_id, plain
from rotator.adapters.salesforce.metadata import Metadata
from rotator.adapters.salesforce.rest import Rest
from rotator.adapters.salesforce.wire import Row
from rotator.domain.errors import Refused
from rotator.domain.inventory import AppKind, Mention, Source

Mentions = Generator[Mention, None, bool]

PAGES = 50_000  # of one listing: a hundred rows each
BATCH = 2000  # rows of a grouped query: there is no next page for it
HALVES = 8  # how often a stretch of LoginHistory with more apps than that is cut in two
STEPS = 40  # of OauthToken's 2,500 rows
LONGEST = timedelta(days=180)  # LoginHistory is kept about six months (reference 9)

_APPS = ("Id, DeveloperName, MasterLabel, NamespacePrefix", "Id, DeveloperName, MasterLabel")
_CLASSIC = ("Id, Name, NamespacePrefix", "Id, Name")
_TOKENS = ("AppName, UserId, LastUsedDate, AppMenuItemId, AppMenuItem.ApplicationId", "AppName, UserId, LastUsedDate")
_BY_APP = ("Application, LoginType, MAX(LoginTime)",)  # expr0
_METADATA = {"ExternalClientApplication": AppKind.EXTERNAL, "ConnectedApp": AppKind.CLASSIC}


@dataclass(frozen=True, slots=True)
class Census:
    """Who looks: the rotator's identities in one org. `now`: the org's clock."""

    admin: Rest
    responder: Rest
    metadata: Metadata
    now: datetime

    def mentions(self, source: Source) -> Mentions:
        """What one listing names. Raises as a read does."""
        return _LISTINGS[source](self)


def _apps(census: Census) -> Mentions:
    rows = queries.Walk(_widest(census.admin, "ExternalClientApplication", _APPS))
    for row in rows:
        if is_id(row.get("Id")):
            yield Mention(Source.APPS, AppKind.EXTERNAL, long_id(wire.text(row, "Id")), plain(row.get("DeveloperName")),
                          plain(row.get("MasterLabel")), _namespace(row))  # fmt: skip
    return rows.complete


def _usage(census: Census) -> Mentions:
    what = "listing the apps that were used"
    rows = queries.Walk(queries.listed(census.admin, "/apps/oauth/usage", "apps", what, PAGES))
    for row in rows:
        if is_id(row.get("identifier")):
            yield Mention(Source.USAGE, AppKind.EXTERNAL, long_id(wire.text(row, "identifier")),
                          plain(row.get("developerName")), plain(row.get("label")))  # fmt: skip
    return rows.complete


def _classic(census: Census) -> Mentions:
    """Its Name is the label; the developer name is told by the metadata alone."""
    rows = queries.Walk(_widest(census.admin, "ConnectedApplication", _CLASSIC))
    for row in rows:
        if is_id(row.get("Id")):
            yield Mention(Source.CLASSIC, AppKind.CLASSIC, long_id(wire.text(row, "Id")), "", plain(row.get("Name")),
                          _namespace(row) or None)  # fmt: skip
    return rows.complete


def _listed(census: Census) -> Mentions:
    for kind, ours in _METADATA.items():
        for name, namespace in census.metadata.listed(kind):
            own = name.removeprefix(f"{namespace}__") if namespace else name
            yield Mention(Source.METADATA, ours, "", plain(own), "", plain(namespace))
    return True


def _policies(census: Census) -> Mentions:
    columns = ("ExternalClientApplicationId, ClientCredentialsFlowUser",)
    rows = queries.Walk(_widest(census.responder, "ExtlClntAppOauthPlcyCnfg", columns))
    for row in rows:
        app, user = wire.text(row, "ExternalClientApplicationId"), wire.text(row, "ClientCredentialsFlowUser")
        if is_id(app):
            yield Mention(Source.POLICIES, AppKind.EXTERNAL, long_id(app), user=long_id(plain(user)))
    return rows.complete


def _tokens(census: Census) -> Mentions:
    """A query gives 2,500 rows in all, so they are read in steps; an org that takes no such step shows the first."""
    if (yield from _step(census.responder, "")) < queries.OAUTHTOKEN_CAP:
        return True
    for step in range(STEPS):
        cut = f" ORDER BY CreatedDate LIMIT {queries.OAUTHTOKEN_CAP} OFFSET {step * queries.OAUTHTOKEN_CAP}"
        try:
            if (yield from _step(census.responder, cut)) < queries.OAUTHTOKEN_CAP:
                return True
        except Refused:
            return False
    return False


def _step(rest: Rest, cut: str) -> Generator[Mention, None, int]:
    """The tokens of one query, and how many there were."""
    count = 0
    for row in _widest(rest, "OauthToken", _TOKENS, cut):
        count += 1
        yield _of_token(row)
    return count


def _of_token(row: Row) -> Mention:
    app, user = wire.nested(row, "AppMenuItem", "ApplicationId"), wire.text(row, "UserId")
    return Mention(Source.TOKENS, app_id=long_id(app) if is_id(app) else "", label=plain(row.get("AppName")),
                   used=wire.moment(row.get("LastUsedDate")), user=long_id(user))  # fmt: skip


def _logins(census: Census) -> Mentions:
    return (yield from _stretch(census.responder, census.now - LONGEST, census.now + timedelta(minutes=1), HALVES))


def _stretch(rest: Rest, start: datetime, end: datetime, halves: int) -> Mentions:
    """Who logged in when, by application. One that is no app (a browser) is told by its LoginType."""
    where = f" WHERE LoginTime >= {_time(start)} AND LoginTime < {_time(end)} GROUP BY Application, LoginType"
    rows = queries.Walk(_widest(rest, "LoginHistory", _BY_APP, f"{where} LIMIT {BATCH}"))
    count = 0
    for row in rows:
        count += 1
        oauth = wire.text(row, "LoginType").startswith("Remote Access")
        yield Mention(Source.LOGINS, label=plain(row.get("Application")), used=wire.moment(row.get("expr0")),
                      alone=oauth)  # fmt: skip
    if count < BATCH:
        return rows.complete
    if not halves:
        return False
    middle = start + (end - start) / 2
    later = yield from _stretch(rest, middle, end, halves - 1)
    earlier = yield from _stretch(rest, start, middle, halves - 1)
    return later and earlier


def _widest(rest: Rest, source: str, choices: tuple[str, ...], more: str = "") -> queries.Rows:
    """The walk with the most columns that the org takes (reference 12: retry with fewer)."""
    for named in choices[:-1]:
        rows = queries.walk(rest, f"SELECT {named} FROM {source}{more}", f"listing {source}", PAGES)  # noqa: S608
        try:
            first = next(rows, None)
        except Refused as error:
            if error.http_status != 400:
                raise
            continue
        if first is None:
            return True
        yield first
        return (yield from rows)
    return (yield from queries.walk(rest, f"SELECT {choices[-1]} FROM {source}{more}",  # noqa: S608 - constants
                                    f"listing {source}", PAGES))  # fmt: skip


def _namespace(row: Row) -> str | None:
    """None where the column was not asked for."""
    return plain(row["NamespacePrefix"] or "") if "NamespacePrefix" in row else None


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_LISTINGS: Mapping[Source, Callable[[Census], Mentions]] = {
    Source.APPS: _apps, Source.USAGE: _usage, Source.CLASSIC: _classic, Source.METADATA: _listed,
    Source.POLICIES: _policies, Source.TOKENS: _tokens, Source.LOGINS: _logins,
}  # fmt: skip
