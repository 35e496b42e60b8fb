"""/services/data/vNN.N/apps/oauth: usage and credentials (Connect REST, reference 4.3 and section 6)."""

from __future__ import annotations

from rotator.simulator.dice import fingerprint, same_id
from rotator.simulator.org import pairs, render, tokens
from rotator.simulator.org.model import App, Consumer, Entry, Org, SalesforceError, Token, User
from rotator.simulator.org.session import Caller
from rotator.simulator.wire.call import Call, Reply, Router, as_json

NOT_ENABLED = "This feature is not currently enabled for this user type or org: [ExternalClientApp]"
VIEWERS = ("ExternalClientAppViewer", "ExternalClientAppAdmin", "ExternalClientAppDeveloper")


def routes(router: Router) -> None:
    """Add the Connect resources to the router of an org."""
    base = r"/services/data/v(?P<version>\d+\.0)/apps/oauth"
    one = base + r"/credentials/(?P<app>[^/]+)/(?P<consumer>[^/]+)"
    router.add("GET", base + "/usage", list_apps)
    router.add("GET", base + "/usage/(?P<app>[^/]+)/users", list_users)
    router.add("DELETE|GET", base + "/usage/tokens/(?P<token>[^/]+)", end_token)
    router.add("DELETE", base + "/usage/(?P<app>[^/]+)/tokens", end_app_tokens)
    router.add("GET", base + "/usage/(?P<app>[^/]+)/(?P<user>[^/]+)/tokens", list_tokens)
    router.add("DELETE", base + "/usage/(?P<app>[^/]+)/(?P<user>[^/]+)/tokens", end_user_tokens)
    router.add("GET", base + "/credentials/(?P<app>[^/]+)", list_consumers)
    router.add("GET", one, get_credentials)
    router.add("GET", one + "/staged", list_staged)
    router.add("POST", one + "/staged", post_staged)
    router.add("GET", one + "/staged/(?P<entry>[^/]+)", get_staged)
    router.add("PATCH", one + "/staged/(?P<entry>[^/]+)", patch_staged)
    router.add("DELETE", one + "/staged/(?P<entry>[^/]+)", delete_staged)


def need(org: Org, caller: Caller, version: str, since: float, *one_of: str) -> None:
    """Refuse versions from before the resource, and callers without one of the permissions."""
    if float(version) < since:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    if not caller.user.permissions.intersection(one_of):
        raise SalesforceError(403, "FUNCTIONALITY_NOT_ENABLED", NOT_ENABLED)


def need_secrets(org: Org, caller: Caller, version: str) -> None:
    """Staging and secrets: both permissions and the org's REST-secret setting (reference section 6)."""
    need(org, caller, version, 60.0, "ExternalClientAppDeveloper")
    need(org, caller, version, 60.0, "ViewClientSecret")
    if not org.rest_secret_access:
        raise SalesforceError(403, "FUNCTIONALITY_NOT_ENABLED", NOT_ENABLED)


def find_app(org: Org, app_id: str) -> App:
    """An app these resources know; classic ones only where the org offers them. 404 otherwise."""
    known = [app for app in org.apps if same_id(app.id, app_id)]
    if not known or (known[0].kind == "connected_app" and not org.facts.yes("classic_has_staged_api")):
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    return known[0]


def find_consumer(org: Org, app_id: str, consumer_id: str) -> tuple[App, Consumer]:
    """An app and one of its consumers; 404 otherwise."""
    app = find_app(org, app_id)
    known = [consumer for consumer in app.consumers if same_id(consumer.id, consumer_id)]
    if not known:
        raise SalesforceError(404, "NOT_FOUND", "The requested resource does not exist")
    pairs.expire(org, known[0])
    return app, known[0]


def find_entry(consumer: Consumer, entry_id: str) -> Entry:
    """A slot entry by id; 404 otherwise."""
    known = [entry for entry in consumer.slot if entry.id == entry_id]
    if not known:
        raise SalesforceError(404, "NOT_FOUND", "The requested staged credentials do not exist")
    return known[0]


# --- usage -------------------------------------------------------------------------------


def list_apps(org: Org, call: Call, caller: Caller, version: str) -> Reply:
    """GET usage: the apps that have been used, or all of them (reference 11.12)."""
    need(org, caller, version, 59.0, *VIEWERS)
    everything = org.shapes["usage_lists"] == "all"
    known = [app for app in org.apps if app.kind != "connected_app" and app.listed and (everything or app.used)]
    shown = render.page_of(org, call, known)
    return render.page(org, call, "apps", [render.noise(org, app_item(org, app)) for app in shown],
                       "/apps/oauth/usage", len(known))  # fmt: skip


def app_item(org: Org, app: App) -> render.Json:
    """One app of the usage list."""
    label: render.Json = {"label": app.label} if org.shapes["usage_label"] == "given" else {}
    return {"identifier": render.ident(org, app.id), "developerName": app.developer_name, **label}


def list_users(org: Org, call: Call, caller: Caller, version: str, app: str) -> Reply:
    """GET usage/{app}/users: who holds tokens of the app."""
    need(org, caller, version, 59.0, *VIEWERS)
    found = find_app(org, app)
    held = tokens.usage_tokens(org, found)
    items = [user_item(org, org.user(user), [t for t in held if t.user == user]) for user in {t.user for t in held}]
    return render.page(org, call, "users", items, f"/apps/oauth/usage/{app}/users")


def user_item(org: Org, user: User, held: list[Token]) -> render.Json:
    """One user of the users list, with first and last use."""
    return render.noise(org, {
        "userIdentifier": render.ident(org, user.id), "username": user.username,
        "initialConnectionAt": render.when(org, min(t.created_at for t in held)),
        "lastUsedAt": render.when(org, max(t.used_at for t in held)), "useCount": sum(t.uses for t in held),
    })  # fmt: skip


def list_tokens(org: Org, call: Call, caller: Caller, version: str, app: str, user: str) -> Reply:
    """GET usage/{app}/{user}/tokens."""
    need(org, caller, version, 59.0, *VIEWERS)
    found = find_app(org, app)
    held = [token for token in tokens.usage_tokens(org, found) if same_id(token.user, user)]
    held.sort(key=lambda token: token.usage_id)  # no order of time, and the same on every page
    items = [render.usage_token(org, call, found, token) for token in held]
    return render.page(org, call, "tokens", items, f"/apps/oauth/usage/{app}/{user}/tokens")


def end_tokens(org: Org, caller: Caller, version: str, chosen: list[Token]) -> Reply:
    """The common end of the three DELETEs: the listing empties, the tokens die where the lever works."""
    need(org, caller, version, 59.0, "ExternalClientAppAdmin", "ExternalClientAppDeveloper")
    tokens.end_usage(org, chosen)
    return Reply(204, effect="end usage tokens")


def end_app_tokens(org: Org, call: Call, caller: Caller, version: str, app: str) -> Reply:
    """DELETE usage/{app}/tokens."""
    found = find_app(org, app)
    return end_tokens(org, caller, version, [t for t in org.live_tokens() if t.app == found.id])


def end_user_tokens(org: Org, call: Call, caller: Caller, version: str, app: str, user: str) -> Reply:
    """DELETE usage/{app}/{user}/tokens."""
    found = find_app(org, app)
    chosen = [t for t in org.live_tokens() if t.app == found.id and same_id(t.user, user)]
    return end_tokens(org, caller, version, chosen)


def end_token(org: Org, call: Call, caller: Caller, version: str, token: str) -> Reply:
    """DELETE usage/tokens/{id}; some orgs take the documented GET as well (reference 11.11)."""
    if call.method == "GET" and not org.shapes.yes("usage_get_revokes"):
        raise SalesforceError(405, "METHOD_NOT_ALLOWED", "HTTP Method 'GET' not allowed. Allowed are DELETE")
    chosen = [t for t in org.live_tokens() if t.usage_id == token]
    if not chosen:
        raise SalesforceError(404, "NOT_FOUND", "The requested token does not exist")
    return end_tokens(org, caller, version, chosen)


# --- credentials -------------------------------------------------------------------------


def list_consumers(org: Org, call: Call, caller: Caller, version: str, app: str) -> Reply:
    """GET credentials/{app}: the consumers, without secrets."""
    need(org, caller, version, 60.0, *VIEWERS)
    found = find_app(org, app)
    items = [render.consumer(org, call, found, one) for one in found.consumers]
    return render.page(org, call, "consumers", items, f"/apps/oauth/credentials/{app}")


def get_credentials(org: Org, call: Call, caller: Caller, version: str, app: str, consumer: str) -> Reply:
    """GET credentials/{app}/{consumer}?part=key|secret|keyandsecret, any casing (reference 11.1)."""
    part = call.query.get("part", "key").lower()
    if part not in ("key", "secret", "keyandsecret"):
        raise SalesforceError(400, "INVALID_PARAMETER", "part must be one of key, secret, keyandsecret")
    if "secret" in part:
        need_secrets(org, caller, version)
    need(org, caller, version, 60.0, *VIEWERS)
    found, one = find_consumer(org, app, consumer)
    return as_json(render.consumer(org, call, found, one, part))


def list_staged(org: Org, call: Call, caller: Caller, version: str, app: str, consumer: str) -> Reply:
    """GET staged: the slot; an empty one is an empty collection or a 404 (reference 11.5)."""
    found, one = staging(org, caller, version, app, consumer)
    if not one.slot and org.shapes["empty_slot"] == "404":
        raise SalesforceError(404, "NOT_FOUND", "No staged credentials found for this consumer")
    readable = org.facts.yes("secret_readable_again")
    entries = [render.staged(org, call, found, one, entry, readable) for entry in one.slot]
    return as_json(render.staged_list(org, call, found, one, entries))


def staging(org: Org, caller: Caller, version: str, app: str, consumer: str) -> tuple[App, Consumer]:
    """What all staged resources check first (since 65.0)."""
    need_secrets(org, caller, version)
    need(org, caller, version, 65.0, "ExternalClientAppDeveloper")
    return find_consumer(org, app, consumer)


def post_staged(org: Org, call: Call, caller: Caller, version: str, app: str, consumer: str) -> Reply:
    """POST staged: mints a pair into the slot."""
    if not {"content-length", "transfer-encoding"} & call.headers.keys():
        raise SalesforceError(411, "LENGTH_REQUIRED", "A Content-Length is required")
    found, one = staging(org, caller, version, app, consumer)
    entry = pairs.stage(org, found, one, caller.user.id)
    org.note_pair(caller.user.id, "stagedCredentials", f"Staged credentials of {found.label}")
    shown = render.staged(org, call, found, one, entry, org.shapes.yes("post_returns_secret"))
    body = render.staged_list(org, call, found, one, [shown])
    return as_json(body, int(org.shapes["post_status"]), "stage", fingerprint(entry.pair.key))


def get_staged(org: Org, call: Call, caller: Caller, version: str, app: str, consumer: str, entry: str) -> Reply:
    """GET staged/{id}."""
    found, one = staging(org, caller, version, app, consumer)
    readable = org.facts.yes("secret_readable_again")
    return as_json(render.staged(org, call, found, one, find_entry(one, entry), readable))


def patch_staged(org: Org, call: Call, caller: Caller, version: str, app: str, consumer: str, entry: str) -> Reply:
    """PATCH staged/{id} `{"command":"rotate"}`: answers with the new pair, the displaced one, or nothing."""
    found, one = staging(org, caller, version, app, consumer)
    if str(call.json().get("command", "")).lower() != "rotate":
        raise SalesforceError(400, "JSON_PARSER_ERROR", "command must be rotate")
    chosen = find_entry(one, entry)
    displaced = pairs.rotate(org, one, chosen, caller.user.id)
    org.note_pair(caller.user.id, "rotatedCredentials", f"Rotated credentials of {found.label}")
    about = fingerprint(one.primary.key)
    if org.shapes["patch_answer"] == "204":
        return Reply(204, effect="rotate", about=about)
    told = displaced if org.shapes["patch_answer"] == "displaced" else chosen
    shown = render.staged(org, call, found, one, told, org.facts.yes("secret_readable_again"))
    return as_json(shown, 200, "rotate", about)


def delete_staged(org: Org, call: Call, caller: Caller, version: str, app: str, consumer: str, entry: str) -> Reply:
    """DELETE staged/{id}: kills the pair that sits there now, whichever that is."""
    found, one = staging(org, caller, version, app, consumer)
    chosen = find_entry(one, entry)
    pairs.bury(org, one, chosen)
    org.note_pair(caller.user.id, "deletedCredentials", f"Deleted staged credentials of {found.label}")
    return Reply(int(org.shapes["delete_status"]), effect="delete", about=fingerprint(chosen.pair.key))
