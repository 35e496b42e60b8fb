"""The apps that an org has against those that are configured: the credential that nobody rotates is the one to leak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rotator.config import AppConfig
from rotator.config.own import own_apps
from rotator.domain.errors import RotatorError, Unavailable
from rotator.reports.report import Report
from rotator.wiring.own import find_own
from rotator.wiring.reports.ask import Ask

Row = dict[str, object]
MOST = 5_000  # apps of one kind in one org
# Kind -> how it is listed, and by which column an operator names it. The Name of a classic app is its label.
LISTINGS = {
    "external_client_app": ("SELECT Id, DeveloperName FROM ExternalClientApplication", "DeveloperName"),
    "connected_app": ("SELECT Id, Name FROM ConnectedApplication", "Name"),
}
ABOUT = ("From listings of the External Client Apps and of the classic connected apps of each org, made now, and the"
         " configuration. Apps of vendors are among them: `rotator discover` tells them apart.")  # fmt: skip


def completeness(ask: Ask) -> Report:
    """Each app of each org; what cannot be looked at is `unknown`, never "all there"."""
    orgs = [name for name in ask.connections.config.orgs if ask.org in ("", name)]
    rows = tuple(row for org in orgs for row in _of_org(ask, org))
    columns = {"org": "Org", "developer_name": "App in the org", "app_id": "Id", "app": "Configured as",
               "verdict": "Verdict", "why": "Why"}  # fmt: skip
    figures = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in _VERDICTS}
    return Report("completeness", "Apps of the orgs against apps configured", ABOUT, ask.at, columns, rows,
                  {"orgs": len(orgs), **figures}, ask.org)  # fmt: skip


_VERDICTS = ("configured", "disabled", "not configured", "not in the org", "unknown")


def _of_org(ask: Ask, org: str) -> Iterator[Row]:
    ours = {name: app for name, app in ask.connections.config.apps.items() if app.org == org}
    for name, app in ((name, app) for name, app in own_apps(ask.connections.config).items() if app.org == org):
        try:
            ours[name] = app.model_copy(update={"app": find_own(ask.connections, name, app).app_id})
        except RotatorError as error:
            yield {"org": org, "app": name, "verdict": "unknown", "why": error.message}
    try:
        for kind in LISTINGS:
            yield from _of_kind(ask, org, kind, {name: app for name, app in ours.items() if app.kind == kind})
    except Unavailable as error:
        yield {"org": org, "verdict": "unknown", "why": error.message}


def _of_kind(ask: Ask, org: str, kind: str, ours: Mapping[str, AppConfig]) -> Iterator[Row]:
    soql, column = LISTINGS[kind]
    try:
        listed = ask.connections.org(org).query(soql, MOST)
    except Unavailable:
        raise
    except RotatorError as error:
        yield {"org": org, "verdict": "unknown", "why": f"{kind}: {error.message}"}
        return
    if len(listed) >= MOST:
        yield {"org": org, "verdict": "unknown", "why": f"{kind}: the org has {MOST} or more: not all were listed"}
    claimed = set[str]()
    for row in listed:
        about: Row = {"org": org, "developer_name": row.get(column), "app_id": row.get("Id")}
        names = [name for name, app in ours.items() if _is(app, row, column)]
        claimed |= set(names)
        yield from ({**about, "app": name, **_verdict(ours[name])} for name in names)
        if not names:
            yield {**about, "verdict": "not configured", "why": "nobody rotates it here"}
    for name in ours.keys() - claimed:
        yield {"org": org, "app": name, "verdict": "not in the org", "why": f"no app {ours[name].app} is listed"}


def _is(app: AppConfig, row: Mapping[str, object], column: str) -> bool:
    """Named as an operator names it, or by its id of 15 or 18 characters."""
    return app.app == row.get(column) or (len(app.app) >= 15 and app.app[:15] == str(row.get("Id"))[:15])


def _verdict(app: AppConfig) -> Row:
    return {"verdict": "configured", "why": ""} if app.enabled else {"verdict": "disabled", "why": "enabled = false"}
