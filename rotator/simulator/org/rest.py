"""/services/data: versions, limits, queries, sobjects; what independent clients need for login, query and REST."""

from __future__ import annotations

from datetime import UTC, datetime

from rotator.simulator.dice import same_id
from rotator.simulator.org import tokens
from rotator.simulator.org.model import Org, SalesforceError
from rotator.simulator.org.render import noise
from rotator.simulator.org.session import Caller
from rotator.simulator.org.soql import Moment, Query, Row, SoqlError, parse, select, value_of
from rotator.simulator.org.tables import TABLES, UNFILTERABLE, Table
from rotator.simulator.wire.call import Call, Reply, Router, as_json

PAGE = 2000
TOKEN_PAGE, TOKEN_CAP = 500, 2500
"""OauthToken: 500 rows a page and 2,500 in all, silently no more (reference 4.1)."""


def routes(router: Router) -> None:
    """Add the REST resources to the router of an org."""
    base = r"/services/data/v(?P<version>\d+\.0)"
    router.add("GET", base, resources)
    router.add("GET", base + "/limits", limits)
    router.add("GET", base + "/query", query)
    router.add("GET", base + "/queryAll", query)
    router.add("GET", base + "/query/(?P<locator>01g[^/]+)", more)
    router.add("GET", base + "/sobjects", sobjects)
    router.add("GET", base + "/sobjects/(?P<name>[A-Za-z_]+)/describe", describe)
    router.add("GET", base + "/sobjects/(?P<name>[A-Za-z_]+)/(?P<record>[A-Za-z0-9]{15,18})", retrieve)
    router.add("PATCH", base + "/sobjects/UserLogin/(?P<record>[A-Za-z0-9]{15,18})", freeze)
    router.add("DELETE", base + "/sobjects/AuthSession/(?P<record>[A-Za-z0-9]{15,18})", delete_session)


def versions(org: Org) -> Reply:
    """GET /services/data: needs no login and proves nothing (reference 3.1)."""
    numbers = range(31, org.newest_version + 1)
    return as_json([{"label": f"Release {n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in numbers])


def resources(org: Org, call: Call, caller: Caller, version: str) -> Reply:
    """GET /services/data/vNN.N/."""
    names = ("sobjects", "query", "queryAll", "limits", "connect", "identity")
    return as_json({name: f"/services/data/v{version}/{name}" for name in names})


def limits(org: Org, call: Call, caller: Caller, version: str) -> Reply:
    """GET limits, with the daily quota among others."""
    left = max(org.daily_limit - org.calls_today, 0)
    return as_json(noise(org, {"DailyApiRequests": {"Max": org.daily_limit, "Remaining": left},
                               "ConcurrentAsyncGetReportInstances": {"Max": 200, "Remaining": 200}}))  # fmt: skip


def query(org: Org, call: Call, caller: Caller, version: str) -> Reply:
    """GET query?q=..."""
    try:
        parsed = parse(call.query.get("q", ""))
        name, table = find_table(parsed)
        check_fields(org, parsed, name, table)
    except SoqlError as error:
        raise SalesforceError(400, error.code, error.message) from None
    rows = table.rows(org, caller)
    if parsed.counts:
        return as_json({"totalSize": len(select(parsed, rows)), "done": True, "records": []})
    return first_page(org, version, parsed, name, select(parsed, rows))


def find_table(parsed: Query) -> tuple[str, Table]:
    """The table of a query, whatever the case of its name."""
    for name, table in TABLES.items():
        if name.lower() == parsed.source.lower():
            return name, table
    raise SoqlError("INVALID_TYPE", f"sObject type '{parsed.source}' is not supported.")


def check_fields(org: Org, parsed: Query, name: str, table: Table) -> None:
    """Refuse unknown fields, and filters on fields that take none."""
    plain = [f for f in [*parsed.fields, *parsed.used, *parsed.group] if "(" not in f]
    hidden = org.shapes["session_join"] == "no" and name == "AuthSession"
    for field in plain:
        if field.lower() not in table.fields or (hidden and field.lower().startswith("loginhistory.")):
            raise SoqlError("INVALID_FIELD", f"No such column '{field}' on entity '{name}'.")
    refused = table.unfilterable
    if name == "LoginHistory" and org.shapes["history_filters"] == "strict":
        refused += UNFILTERABLE
    for field in parsed.used:
        if field.lower() in refused:
            raise SoqlError("INVALID_FIELD", f"field '{field}' can not be filtered in a query call")


def first_page(org: Org, version: str, parsed: Query, name: str, rows: list[Row]) -> Reply:
    """The first page; the rest waits under a locator."""
    named = [f"expr{n}" for n, _ in enumerate(f for f in parsed.fields if "(" in f)]
    columns = [*parsed.group, *named] if parsed.group else parsed.fields
    shown = [record(version, name, columns, row) for row in rows]
    if parsed.fields and all("(" in f for f in parsed.fields) and not parsed.group:
        shown = [{"attributes": {"type": "AggregateResult"}, "expr0": len(rows)}]
    size = PAGE
    if name == "OauthToken":
        shown, size = shown[:TOKEN_CAP], TOKEN_PAGE
    return paged(org, version, shown, 0, size, "01g" + org.dice.text(15))


def paged(org: Org, version: str, rows: list[Row], start: int, size: int, locator: str) -> Reply:
    """One page of a result, with the address of the next."""
    body: Row = {"totalSize": len(rows), "done": start + size >= len(rows), "records": rows[start : start + size]}
    if not body["done"]:
        org.locators[locator] = list(rows)
        body["nextRecordsUrl"] = f"/services/data/v{version}/query/{locator}-{start + size}-{size}"
    return as_json(body)


def more(org: Org, call: Call, caller: Caller, version: str, locator: str) -> Reply:
    """GET query/{locator}: the next page."""
    name, _, rest = locator.partition("-")
    start, _, size = rest.partition("-")
    if name not in org.locators or not (start.isdigit() and size.isdigit()):
        raise SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return paged(org, version, list(org.locators[name]), int(start), int(size), name)


def record(version: str, name: str, columns: list[str], row: Row) -> Row:
    """A row as JSON: attributes, plain fields, relationships nested."""
    shown: Row = {"attributes": {"type": name}}
    if row.get("Id"):
        shown["attributes"]["url"] = f"/services/data/v{version}/sobjects/{name}/{row['Id']}"
    for column in columns:
        here, parts = shown, column.split(".")
        if len(parts) > 1 and value_of(row, parts[0]) is None:
            here[parts[0]] = None
            continue
        for part in parts[:-1]:
            here = here.setdefault(part, {"attributes": {"type": part}})
        here[parts[-1]] = plain(value_of(row, column))
    return shown


def plain(value: object) -> object:
    """A field value as JSON writes it."""
    if isinstance(value, Moment):
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return value


def sobjects(org: Org, call: Call, caller: Caller, version: str) -> Reply:
    """GET sobjects: the list of types."""
    items = [{"name": name, "label": name, "queryable": True, "deletable": name == "AuthSession"} for name in TABLES]
    return as_json({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": items})


def describe(org: Org, call: Call, caller: Caller, version: str, name: str) -> Reply:
    """GET sobjects/{type}/describe, the names of the fields."""
    if name not in TABLES:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    named = [{"name": field, "type": "string", "filterable": True} for field in sorted(TABLES[name].fields)]
    return as_json({"name": name, "queryable": True, "fields": named})


def retrieve(org: Org, call: Call, caller: Caller, version: str, name: str, record: str) -> Reply:
    """GET sobjects/{type}/{id}: all plain fields of one record."""
    rows = TABLES[name].rows(org, caller) if name in TABLES else []
    for row in rows:
        if same_id(str(row["Id"]), record):
            shown = {key: plain(value) for key, value in row.items() if not isinstance(value, dict)}
            url = f"/services/data/v{version}/sobjects/{name}/{record}"
            return as_json({"attributes": {"type": name, "url": url}} | shown)
    raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")


def freeze(org: Org, call: Call, caller: Caller, version: str, record: str) -> Reply:
    """PATCH sobjects/UserLogin/{id} `{"IsFrozen": true}`: the user's logins are refused; tokens live on."""
    if "ManageUsers" not in caller.user.permissions:
        raise SalesforceError(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    known = [user for user in org.users if same_id("0Yw" + user.id[3:], record)]
    if not known:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    known[0].frozen = bool(call.json()["IsFrozen"])
    return Reply(204, effect="freeze user")


def delete_session(org: Org, call: Call, caller: Caller, version: str, record: str) -> Reply:
    """DELETE sobjects/AuthSession/{id}: ends a session (reference 4.2)."""
    known = [session for session in org.sessions.values() if same_id(session.id, record)]
    if not known:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    if known[0].ended:
        raise SalesforceError(404, "ENTITY_IS_DELETED", "entity is deleted")
    if known[0].user != caller.user.id and "ManageUsers" not in caller.user.permissions:
        raise SalesforceError(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
    tokens.end_session(org, known[0])
    return Reply(204, effect="end session")
