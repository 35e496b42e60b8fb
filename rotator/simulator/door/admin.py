"""The routes of the admin door. Every answer is JSON; a mistake is a 400 that says what is known."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rotator.simulator import world as worlds
from rotator.simulator.door import truth
from rotator.simulator.door.changes import ChangeError, change, shown
from rotator.simulator.door.hub import Hub
from rotator.simulator.org import setup, tokens
from rotator.simulator.org.model import Org
from rotator.simulator.org.unobservable import unobservable
from rotator.simulator.strangers import ACTS, Scene
from rotator.simulator.switches import SwitchError
from rotator.simulator.vault.kv import KvError
from rotator.simulator.wire.match import MatchError

Json = dict[str, Any]
Work = Callable[[Hub, Request, Json], Any]
MISTAKES = (SwitchError, ChangeError, MatchError, KvError, ValueError, KeyError, TypeError)


def endpoint(hub: Hub, work: Work) -> Callable[[Request], Awaitable[JSONResponse]]:
    """A route: parses the body, runs the work at once (nothing comes between), answers or explains."""

    @wraps(work)
    async def answer(request: Request) -> JSONResponse:
        try:
            body = json.loads(await request.body() or b"{}")
            return JSONResponse(work(hub, request, body))
        except (LookupError, StopIteration) as error:
            return JSONResponse({"error": f"not found: {error}"}, 404)
        except MISTAKES as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer


def org_of(hub: Hub, request: Request, body: Json) -> Org:
    """The org that a request names (path, body or query), or the first."""
    named = request.path_params.get("org") or request.query_params.get("org") or body.get("org")
    return hub.world.orgs[str(named)] if named else next(iter(hub.world.orgs.values()))


def switch(hub: Hub, request: Request, body: Json, table: str) -> Json:
    """Set facts or shapes of one org (`org` in the body or query) or of the first."""
    chosen = getattr(org_of(hub, request, body), table)
    chosen.change({name: value for name, value in body.items() if name != "org"})
    return dict(chosen)


def add_user(hub: Hub, request: Request, body: Json) -> Json:
    """A user: username, permissions."""
    org = org_of(hub, request, body)
    user = worlds.add_user(org, str(body["username"]), tuple(body.get("permissions", ("ApiEnabled", "ApiUserOnly"))))
    return {"id": user.id} | shown(user)


def change_user(hub: Hub, request: Request, body: Json) -> Json:
    """Permissions and activity of a user, named by username or id."""
    wanted = request.path_params["user"]
    users = org_of(hub, request, body).users
    return change(next(user for user in users if wanted in (user.username, user.id)), body)


def add_app(hub: Hub, request: Request, body: Json) -> Json:
    """An app: name, developer_name, label, kind, consumers, username (made when unknown), and members to change."""
    org, name = org_of(hub, request, body), str(body.pop("name"))
    username = str(body.pop("username", f"{name}@{org.name}.example"))
    user = next((u for u in org.users if u.username == username), None) or worlds.add_user(org, username)
    app = worlds.add_app(org, name, str(body.pop("developer_name", name.title())), str(body.pop("label", name.title())),
                         user, str(body.pop("kind", "external_client_app")), int(body.pop("consumers", 1)))  # fmt: skip
    if body.pop("seed_live", True):
        hub.world.seed_app(org, app)
    change(app, body)
    org.note(worlds.admin_of(org).id, "createdApp", f"Created external client app {app.label}")
    return worlds.app_described(org, app)


def change_app(hub: Hub, request: Request, body: Json) -> Json:
    """Members of an app, named by short name, developer name or id."""
    org = org_of(hub, request, body)
    app = org.app(request.path_params["app"])
    if app is None:
        raise LookupError(request.path_params["app"])
    changed = change(app, body)
    org.note(worlds.admin_of(org).id, "changedApp", f"Changed {', '.join(sorted(body))} of {app.label}")
    hub.world.check(hub.gate.history.last, "stranger:change app")
    return changed


def remove_app(hub: Hub, request: Request, body: Json) -> Json:
    """Delete an app and its consumers."""
    org = org_of(hub, request, body)
    app = org.app(request.path_params["app"])
    if app is None:
        raise LookupError(request.path_params["app"])
    org.apps.remove(app)
    org.homes.clear()
    return {"removed": app.id}


def log_in(hub: Hub, request: Request, body: Json) -> Json:
    """`{"count": 1, "username"}`: so many logins through an app with its primary pair, by its run-as user or another;
    no limit counts them. Gives how many tokens of the app live."""
    org = org_of(hub, request, body)
    app = org.app(request.path_params["app"])
    if app is None:
        raise LookupError(request.path_params["app"])
    wanted = body.get("username", app.run_as)
    user = next(user for user in org.users if wanted in (user.username, user.id))
    consumer = app.consumers[0]
    for _ in range(int(body.get("count", 1))):
        record = tokens.note_login(org, app, user, "OauthClientCredentials", "Success")
        tokens.mint(org, app, consumer, consumer.primary.key, user, record, "OauthClientCredentials")
    return {"tokens": sum(token.app == app.id for token in org.live_tokens())}


def stranger(hub: Hub, request: Request, body: Json) -> Json:
    """`{"act", "app", "org", "consumer": 0}`: one foreign act; `done` says whether anything changed."""
    act = str(body["act"])
    if act not in ACTS:
        raise ChangeError(f"no act is called {act!r}; known: {', '.join(ACTS)}")
    org = org_of(hub, request, body)
    app = org.app(str(body["app"]))
    if app is None:
        raise LookupError(str(body["app"]))
    consumer = app.consumers[int(body.get("consumer", 0))]
    done = ACTS[act](Scene(org, app, consumer, hub.world.kv, hub.world.watch.find(app.name, org.name)))
    hub.world.check(hub.gate.history.last, f"stranger:{act}")
    return {"act": act, "done": done}


def move_clock(hub: Hub, request: Request, body: Json) -> Json:
    """`{"advance": seconds}`, `{"set": epoch}`, `{"freeze": true}`."""
    hub.clock.advance(float(body.get("advance", 0)))
    if "set" in body:
        hub.clock.set_to(float(body["set"]))
    if "freeze" in body:
        hub.clock.freeze(bool(body["freeze"]))
    hub.tick()
    return {"now": hub.clock.now()}


def paused(hub: Hub, request: Request, body: Json) -> list[Json]:
    """All pauses with their states."""
    return [pause.shown() for pause in hub.gate.pauses.all]


def add_watch(hub: Hub, request: Request, body: Json) -> Json:
    """`{"app", "org", "mount", "path", "field", "overlap_s", "external"}`."""
    org = org_of(hub, request, body).name
    one = hub.world.watch.add(org, str(body["app"]), str(body.get("mount", worlds.MOUNT)),
                              str(body.get("path", f"salesforce/{org}/{body['app']}")),
                              str(body.get("field", "client_id")), float(body.get("overlap_s", 0)),
                              bool(body.get("external")))  # fmt: skip
    return {"app": one.app, "org": one.org, "path": one.path}


def push_live(hub: Hub, request: Request, body: Json) -> Json:
    """`{"app", "key", "cause"}`: what an external Vault serves now."""
    org = org_of(hub, request, body)
    one = hub.world.watch.find(str(body["app"]), org.name)
    hub.world.watch.push(one, org, str(body.get("key") or ""), hub.gate.history.last, str(body.get("cause", "push")),
                         hub.clock.now())  # fmt: skip
    return hub.world.watch.shown()


def lift(hub: Hub, request: Request, body: Json) -> Json:
    """`{"app"}`: the overlap is over, readers have been promised nothing more."""
    hub.world.watch.lift(hub.world.watch.find(str(body["app"]), org_of(hub, request, body).name))
    return {"lifted": body["app"]}


def walk(hub: Hub, request: Request, body: Json) -> Json:
    """Setup in a browser: `{"start": username}`, `{"click": button}` or `{"code": text}`; gives the page. The mail with
    the code is at GET."""
    org = org_of(hub, request, body)
    if "start" in body:
        page = setup.start(org, str(body["start"]))
    else:
        page = setup.enter_code(org, str(body["code"])) if "code" in body else setup.click(org, str(body["click"]))
    hub.world.check(hub.gate.history.last, "stranger:setup")
    return page


def mail(hub: Hub, request: Request, body: Json) -> Json:
    """The page that stands open, and the code that was mailed last."""
    org = org_of(hub, request, body)
    return {**setup.shown(org), "mail": org.visit.code}


def truth_of(hub: Hub) -> Json:
    """What is really so, by org and app."""
    return {name: truth.of_org(org, hub.world.watch) for name, org in hub.world.orgs.items()}


ROUTES: tuple[tuple[str, str, Work], ...] = (
    ("GET", "/world", lambda hub, request, body: hub.world.described()),
    ("POST", "/reset", lambda hub, request, body: hub.reset(body)),
    ("GET", "/facts", lambda hub, request, body: dict(org_of(hub, request, body).facts)),
    ("POST", "/facts", lambda hub, request, body: switch(hub, request, body, "facts")),
    ("GET", "/unobservable", lambda hub, request, body: unobservable(org_of(hub, request, body))),
    ("GET", "/shapes", lambda hub, request, body: dict(org_of(hub, request, body).shapes)),
    ("POST", "/shapes", lambda hub, request, body: switch(hub, request, body, "shapes")),
    ("POST", "/orgs", lambda hub, request, body: hub.add_org(str(body["name"]))),
    ("PATCH", "/orgs/{org}", lambda hub, request, body: change(org_of(hub, request, body), body)),
    ("POST", "/orgs/{org}/apps", add_app),
    ("PATCH", "/orgs/{org}/apps/{app}", change_app),
    ("DELETE", "/orgs/{org}/apps/{app}", remove_app),
    ("POST", "/orgs/{org}/users", add_user),
    ("PATCH", "/orgs/{org}/users/{user}", change_user),
    ("POST", "/orgs/{org}/apps/{app}/logins", log_in),
    ("POST", "/orgs/{org}/setup", walk),
    ("GET", "/orgs/{org}/setup", mail),
    ("POST", "/strangers", stranger),
    ("GET", "/clock", lambda hub, request, body: {"now": hub.clock.now()}),
    ("POST", "/clock", move_clock),
    ("GET", "/history", lambda hub, request, body: hub.gate.history.listed(**dict(request.query_params))),
    ("DELETE", "/history", lambda hub, request, body: hub.clear_history()),
    ("GET", "/faults", lambda hub, request, body: hub.gate.schedule.listed()),
    ("POST", "/faults", lambda hub, request, body: hub.add_faults(body)),
    ("DELETE", "/faults", lambda hub, request, body: hub.clear_faults()),
    ("POST", "/latency", lambda hub, request, body: hub.set_latency(body)),
    ("POST", "/chaos", lambda hub, request, body: hub.set_chaos(body)),
    ("POST", "/pause", lambda hub, request, body: hub.gate.pauses.add(body).shown()),
    ("GET", "/paused", paused),
    ("POST", "/resume", lambda hub, request, body: hub.gate.pauses.resume(int(body.get("id") or 0))),
    ("DELETE", "/pause", lambda hub, request, body: hub.clear_pauses()),
    ("GET", "/invariants", lambda hub, request, body: hub.world.watch.shown()),
    ("POST", "/watch", add_watch),
    ("POST", "/watch/live", push_live),
    ("POST", "/watch/lift", lift),
    ("GET", "/truth", lambda hub, request, body: truth_of(hub)),
    ("GET", "/secrets", lambda hub, request, body: hub.world.secrets()),
    ("GET", "/vault", lambda hub, request, body: shown(hub.world.vault)),
    ("PATCH", "/vault", lambda hub, request, body: hub.change_vault(body)),
)


def application(hub: Hub) -> Starlette:
    """The admin door of a simulator."""
    return Starlette(routes=[Route(path, endpoint(hub, work), methods=[method]) for method, path, work in ROUTES])
