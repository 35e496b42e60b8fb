"""How the org writes what it knows: every disagreement of reference sections 11 and 12, by switch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import TypeVar

from rotator.simulator.org.model import App, Consumer, Entry, Org, Token
from rotator.simulator.org.oauth import base_url
from rotator.simulator.wire.call import Call, Reply, as_json

Json = dict[str, object]
T = TypeVar("T")


def when(org: Org, epoch: float) -> object:
    """A date the way this org writes dates."""
    moment = datetime.fromtimestamp(epoch, UTC)
    style = org.shapes["date_format"]
    if style == "epoch":
        return int(epoch * 1000)
    texts = {"z": "%Y-%m-%dT%H:%M:%SZ", "offset": "%Y-%m-%dT%H:%M:%S.000+0000", "garbage": "a while ago"}
    return moment.strftime(texts.get(style, "%Y-%m-%dT%H:%M:%S.123Z"))


def ident(org: Org, value: str, in_url: bool = False) -> str:
    """An id of 15 or 18 characters; `mixed` writes 15 in bodies and 18 in URLs, as OHM's tests saw."""
    short = org.shapes["id_length"] == "15" or (org.shapes["id_length"] == "mixed" and not in_url)
    return value[:15] if short else value


def link(org: Org, call: Call, path: str) -> str:
    """A URL in an answer: relative or absolute, under the version called or the newest."""
    called = call.path.split("/")[3].removeprefix("v")
    version = called if org.shapes["url_version"] == "called" else f"{org.newest_version}.0"
    base = base_url(org, call) if org.shapes["urls"] == "absolute" else ""
    return f"{base}/services/data/v{version}{path}"


def credentials_path(org: Org, app: App, consumer: Consumer) -> str:
    """The path of a consumer's primary credentials."""
    return f"/apps/oauth/credentials/{ident(org, app.id, in_url=True)}/{ident(org, consumer.id, in_url=True)}"


def optional(org: Org, members: Json) -> Json:
    """Members that the reference calls optional: there, absent, or null."""
    style = org.shapes["optional_fields"]
    return members if style == "all" else dict.fromkeys(members) if style == "null" else {}


def consumer(org: Org, call: Call, app: App, one: Consumer, part: str = "key") -> Json:
    """`App Oauth Credentials` (reference 6.3). The secret only when asked for and readable."""
    path = credentials_path(org, app, one)
    shown: Json = {org.shapes["consumer_id_field"]: ident(org, one.id), "url": link(org, call, path),
                   "stagedCredentialsUrl": link(org, call, path + "/staged")}  # fmt: skip
    if "key" in part:
        shown["key"] = one.primary.key
    if "secret" in part and org.facts.yes("secret_readable_again"):
        shown["secret"] = one.primary.secret
    return noise(org, shown | optional(org, {"name": app.label}))


def staged(org: Org, call: Call, app: App, one: Consumer, entry: Entry, with_secret: bool) -> Json:
    """`App Oauth Staged Credentials` (reference 6.5) under the names this org uses."""
    shapes, path = org.shapes, credentials_path(org, app, one)
    case: Callable[[str], str] = {"lower": str.lower, "upper": str.upper}.get(shapes["state_case"], str)
    shown: Json = {shapes["id_field"]: entry.id, shapes["key_field"]: entry.pair.key,
                   shapes["state_field"]: case(entry.state)}  # fmt: skip
    if with_secret:
        shown[shapes["secret_field"]] = entry.pair.secret
    own = link(org, call, f"{path}/staged/{entry.id}")
    shown["url"] = own if shapes["url_meaning"] == "staged" else link(org, call, path)
    shown[shapes["staged_url_field"]] = own
    dates = {"createdDate": when(org, entry.created_at), "expirationDate": when(org, entry.expires_at)}
    shown |= optional(org, dates)
    if org.facts.yes("created_by_given"):
        shown["createdBy"] = author(org, entry.created_by)
    return noise(org, shown)


def author(org: Org, user_id: str) -> str:
    """The author of an entry, as an id or as a name (reference 6.5: unknown which)."""
    named = next((user.name for user in org.users if user.id == user_id), user_id)
    return named if org.shapes["created_by"] == "name" else ident(org, user_id)


def staged_list(org: Org, call: Call, app: App, one: Consumer, entries: list[Json]) -> object:
    """The answer of GET and POST staged, in one of its four reported shapes."""
    shape = org.shapes["staged_shape"]
    many = org.dice.shuffled(entries)
    if shape == "array":
        return many
    if shape == "flat" and len(many) == 1:
        return many[0]
    inner: object = many[0] if shape == "object" and len(many) == 1 else many
    path = credentials_path(org, app, one)
    return noise(org, {"stagedCredentials": inner, "url": link(org, call, path + "/staged")})


def usage_token(org: Org, call: Call, app: App, one: Token) -> Json:
    """`App OAuth Usage Token` (reference 4.3)."""
    user = org.user(one.user)
    return noise(org, {
        "accessTokenFormat": "JWT" if one.jwt else "Opaque", "appDeveloperName": app.developer_name,
        "appIdentifier": ident(org, app.id), "initialConnectionAt": when(org, one.created_at),
        "lastUsedAt": when(org, one.used_at), "useCount": one.uses, "userIdentifier": ident(org, user.id),
        "username": user.username, "revocationUrl": link(org, call, f"/apps/oauth/usage/tokens/{one.usage_id}"),
    })  # fmt: skip


def noise(org: Org, members: Json) -> Json:
    """The same members in another order, among one that nobody announced."""
    names = org.dice.shuffled([*members, "x"])
    extra = f"release{org.dice.randrange(100)}Hint"
    return {(extra if name == "x" else name): members.get(name, "new") for name in names}


def place(org: Org, call: Call) -> tuple[int, int]:
    """Which page is asked for, and how many items it holds."""
    number = max(int(call.query.get("page", "0") or 0), 0)
    return number, min(max(int(call.query.get("pageSize", "100") or 100), 1), int(org.shapes["page_size"]))


def page_of(org: Org, call: Call, items: Sequence[T]) -> Sequence[T]:
    """What stands on the page that is asked for."""
    number, size = place(org, call)
    return items[number * size : (number + 1) * size]


def page(org: Org, call: Call, name: str, items: Sequence[Json], path: str, total: int | None = None) -> Reply:
    """One small page of a collection, with the org's idea of `nextPageUrl`. `total`: of how many, where `items` are
    those of the page alone."""
    number, size = place(org, call)
    shown = page_of(org, call, items) if total is None else items
    body: Json = {name: shown, "currentPageUrl": link(org, call, f"{path}?page={number}&pageSize={size}")}
    more = (number + 1) * size < (len(items) if total is None else total)
    if more or org.shapes["next_page_url"] == "last_too":
        body["nextPageUrl"] = link(org, call, f"{path}?page={number + 1}&pageSize={size}")
    elif org.shapes["next_page_url"] == "null":
        body["nextPageUrl"] = None
    return as_json(noise(org, body))


def error(org: Org, status: int, code: str, message: str) -> Reply:
    """An error of REST or Connect in the org's way to write errors."""
    shape = org.shapes["error_shape"]
    if shape == "html":
        text = f"<html><body><h1>{status}</h1>{escape(message)}</body></html>"
        return Reply(status, text.encode(), {"content-type": "text/html"})
    if shape in ("text", "empty"):
        return Reply(status, message.encode() if shape == "text" else b"", {"content-type": "text/plain"})
    one = {"errorCode": code, "message": message}
    body: object = [one] if shape == "array" else one
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json;charset=UTF-8"})
