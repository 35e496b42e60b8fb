"""How a client sees each shape of the simulated org: one observation for each, named like its switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulator.sim import DATA, Sim

Seen = Callable[[Sim], Any]


def post(sim: Sim) -> Any:
    """The answer of POST staged."""
    return sim.org.post(f"{sim.credentials}/staged", json={})


def posted(sim: Sim) -> Any:
    """The one entry in the answer of POST staged, whatever the shape."""
    body = post(sim).json()
    inner = body.get("stagedCredentials", body) if isinstance(body, dict) else body
    return inner[0] if isinstance(inner, list) else inner


def members(*names: str) -> Seen:
    """Which of these members the posted entry has."""

    def seen(sim: Sim) -> str:
        shown = posted(sim)
        return next(name for name in names if name in shown)

    return seen


def staged_shape(sim: Sim) -> str:
    """collection, array, object or flat."""
    body = post(sim).json()
    if isinstance(body, list):
        return "array"
    if "stagedCredentials" not in body:
        return "flat"
    return "collection" if isinstance(body["stagedCredentials"], list) else "object"


def staged_url(sim: Sim) -> str:
    """Under which name the address of the entry itself stands."""
    own = [name for name, value in posted(sim).items() if "/staged/" in str(value)]
    return str(own[0])


def changes(sim: Sim) -> Any:
    """The answer of a query for all of the Setup audit trail."""
    return sim.org.get(f"{DATA}/query", params={"q": "SELECT Action, CreatedBy.Username FROM SetupAuditTrail"})


def setup_trail_unseen(sim: Sim) -> str:
    """What a user without View Setup and Configuration is told of it."""
    sim.admin("PATCH", "/orgs/acme/users/rotator@acme.example", {"permissions": ["ApiEnabled"]})
    return "empty" if changes(sim).status_code == 200 else "refused"


def pairs_in_setup_trail(sim: Sim) -> str:
    """Whether what is done to pairs stands there, ours and others'; what is done to policies does."""
    posted(sim)
    sim.act("delete")
    sim.act("block")
    told = [(row["Action"], row["CreatedBy"]["Username"].split("@")[0]) for row in changes(sim).json()["records"]]
    assert (told[0], told[-1]) == (("createdOrg", "admin"), ("changedPolicies", "admin"))
    return {0: "no", 2: "yes"}[len({("stagedCredentials", "rotator"), ("deletedCredentials", "admin")} & {*told})]


def slot_taken(sim: Sim) -> str:
    """What a second POST staged does."""
    first, answer = posted(sim), post(sim)
    if answer.status_code >= 400:
        return str(answer.status_code)
    return "append" if first["key"] in [entry["key"] for entry in sim.slot()] else "replace"


def rotate_rotated(sim: Sim) -> str:
    """What PATCH rotate does to a Rotated entry."""
    sim.stage()
    sim.rotate()
    status = sim.rotate().status_code
    return str(status) if status >= 400 else "swap"


def url_meaning(sim: Sim) -> str:
    """What `url` of an entry points to."""
    return "staged" if "/staged/" in posted(sim)["url"] else "primary"


def patch_answer(sim: Sim) -> str:
    """Whom the answer of PATCH describes."""
    new = sim.stage()
    reply = sim.rotate()
    if reply.status_code == 204:
        return "204"
    return {new[0]: "new", sim.old[0]: "displaced"}[reply.json()["key"]]


def delete_status(sim: Sim) -> str:
    """The status of DELETE."""
    sim.stage()
    return str(sim.delete().status_code)


def optional_fields(sim: Sim) -> str:
    """What becomes of optional members."""
    shown = posted(sim)
    return "missing" if "createdDate" not in shown else "null" if shown["createdDate"] is None else "all"


def date_format(sim: Sim) -> str:
    """How a date is written."""
    value = posted(sim)["createdDate"]
    if isinstance(value, int):
        return "epoch"
    return {"Z": "millis" if "." in value else "z", "0": "offset"}.get(value[-1], "garbage")


def id_length(sim: Sim) -> str:
    """Ids in bodies and in addresses."""
    shown = sim.org.get(sim.credentials).json()
    in_url = len(shown["url"].rsplit("/", 1)[1])
    return str(len(shown["id"])) if len(shown["id"]) == in_url else "mixed"


def urls(sim: Sim) -> str:
    """Addresses in answers."""
    return "absolute" if sim.org.get(sim.credentials).json()["url"].startswith("http") else "relative"


def url_version(sim: Sim) -> str:
    """The version in an address."""
    return "called" if "/v65.0/" in sim.org.get(sim.credentials).json()["url"] else "newest"


def next_page_url(sim: Sim) -> str:
    """What the last page says about the next one."""
    last = sim.org.get(f"{DATA}/apps/oauth/usage", params={"page": 1}).json()
    if "nextPageUrl" not in last:
        return "absent"
    if last["nextPageUrl"] is None:
        return "null"
    followed = sim.org.get(last["nextPageUrl"]).json()
    assert followed["apps"] == []
    return "last_too"


def page_size(sim: Sim) -> str:
    """How many apps a page holds; there are four."""
    shown = len(sim.org.get(f"{DATA}/apps/oauth/usage").json()["apps"])
    return "100" if shown == 4 else str(shown)


def id_host(sim: Sim) -> str:
    """The host of the identity URL."""
    address = sim.login(*sim.old).json()["id"]
    return next((host for host in ("login", "test") if f"//{host}.salesforce.com/" in address), "my_domain")


def error_shape(sim: Sim) -> str:
    """How a 404 is written."""
    reply = sim.org.get(f"{DATA}/apps/oauth/credentials/0xI000000000000/888000000000000")
    assert reply.status_code == 404
    if reply.headers["content-type"] == "text/html":
        return "html"
    if reply.headers["content-type"] == "text/plain":
        return "text" if reply.text else "empty"
    return "array" if isinstance(reply.json(), list) else "object"


def bad_login(member: str, key: str = "nobody", secret: str = "wrong") -> Seen:
    """A member of the error that a login with a pair nobody knows gets."""
    return lambda sim: sim.login(key, secret).json()[member]


def flow_error(sim: Sim) -> str:
    """The error when the flow is off in the policies only."""
    sim.admin("PATCH", "/orgs/acme/apps/billing", {"flow_in_policies": False})
    return str(sim.login(*sim.old).json()["error"])


def not_approved(sim: Sim) -> str:
    """The error where the permitted-users policy gates the run-as user."""
    sim.shapes(permitted_users_gate="yes")
    sim.admin("PATCH", "/orgs/acme/apps/billing", {"pre_authorized": False})
    return str(sim.login(*sim.old).json()["error"])


def gate(sim: Sim) -> str:
    """Whether the permitted-users policy gates the run-as user."""
    sim.admin("PATCH", "/orgs/acme/apps/billing", {"pre_authorized": False})
    return "no" if sim.logs_in(sim.old) else "yes"


def quota(sim: Sim) -> str:
    """The status when the daily quota is used up."""
    sim.admin("PATCH", "/orgs/acme", {"daily_limit": 0})
    reply = sim.org.get(f"{DATA}/limits")
    assert reply.json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
    return str(reply.status_code)


def login_rate(sim: Sim) -> str:
    """The status of the login over the hourly limit."""
    sim.admin("PATCH", "/orgs/acme", {"logins_per_hour": 1})
    assert sim.logs_in(sim.old)
    refused = sim.login(*sim.old)
    assert refused.json()["error"] == "rate_limit_exceeded"
    sim.advance(3601)
    assert sim.logs_in(sim.old)
    return str(refused.status_code)


def session_scope(sim: Sim) -> str:
    """Whether a shared session is shared between pairs."""
    sim.facts(session_shared_between_logins="yes")
    return "app" if sim.token(sim.old) == sim.token(sim.stage()) else "key"


def usage_lists(sim: Sim) -> str:
    """Whether an app that was never used is listed."""
    sim.shapes(page_size="100")
    sim.admin("PATCH", "/orgs/acme/apps/orders", {"used": False})
    return "all" if "Order_Export" in sim.org.get(f"{DATA}/apps/oauth/usage").text else "used"


def usage_get(sim: Sim) -> str:
    """Whether GET on a revocation address ends the token."""
    token = sim.token(sim.old)
    held = sim.org.get(f"{DATA}/apps/oauth/usage/{sim.billing['app_id']}/{sim.billing['user_id']}/tokens").json()
    sim.org.get(held["tokens"][0]["revocationUrl"])
    return "no" if sim.alive(token) else "yes"


def visible(permission: str, soql: str, names: tuple[str, str]) -> Seen:
    """Which of two permissions shows other users' rows."""

    def seen(sim: Sim) -> str:
        sim.token(sim.old)
        user = sim.acme["admin"]["username"]
        sim.admin("PATCH", f"/orgs/acme/users/{user}", {"permissions": ["ApiEnabled", permission]})
        return names[0] if sim.query(soql).json()["totalSize"] > 1 else names[1]

    return seen


def history_filters(sim: Sim) -> str:
    """Whether LoginSubType may be filtered; Application never may."""
    assert sim.query("SELECT Id FROM LoginHistory WHERE Application = 'x'").status_code == 400
    reply = sim.query("SELECT Id FROM LoginHistory WHERE LoginSubType = 'OauthClientCredentials'")
    return "loose" if reply.status_code == 200 else "strict"


def session_join(sim: Sim) -> str:
    """Whether AuthSession reaches through to its login."""
    return "yes" if sim.query("SELECT Id, LoginHistory.Application FROM AuthSession").status_code == 200 else "no"


def flow_user(sim: Sim) -> str:
    """How the policy names the run-as user."""
    rows = sim.records(
        "SELECT ClientCredentialsFlowUser FROM ExtlClntAppOauthPlcyCnfg WHERE DeveloperName LIKE 'Bill%'"
    )
    return "id" if rows[0]["ClientCredentialsFlowUser"].startswith("005") else "username"


def limit_header(sim: Sim) -> str:
    """The form of Sforce-Limit-Info."""
    value = sim.org.get(f"{DATA}/limits").headers["sforce-limit-info"]
    assert value.startswith("api-usage=")
    return "bursts" if "bursts" in value else "per_app" if "per-app" in value else "plain"


def propagation(sim: Sim) -> str:
    """Whether logins inside a window all go the same way."""
    sim.facts(new_pair_propagation="1h")
    new = sim.stage()
    return "flapping" if len({sim.logs_in(new) for _ in range(25)}) == 2 else "steady"
