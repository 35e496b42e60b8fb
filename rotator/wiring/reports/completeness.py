"""The apps that an org has against those that are configured: the credential that nobody rotates is the one to leak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rotator.config import AppConfig
from rotator.config.own import own_apps
from rotator.domain.errors import RotatorError
from rotator.reports.report import Report
from rotator.wiring.own import find_own
from rotator.wiring.reports.ask import Ask

MOST = 5_000  # apps of one org
SOQL = "SELECT Id, DeveloperName FROM ExternalClientApplication"


def completeness(ask: Ask) -> Report:
    """Each app of each org; what cannot be looked at is `unknown`, never "all there"."""
    orgs = [name for name in ask.connections.config.orgs if ask.org in ("", name)]
    rows = tuple(row for org in orgs for row in _of_org(ask, org))
    columns = {"org": "Org", "developer_name": "App in the org", "app_id": "Id", "app": "Configured as",
               "verdict": "Verdict", "why": "Why"}  # fmt: skip
    figures = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in _VERDICTS}
    return Report("completeness", "Apps of the orgs against apps configured", "From a listing of the External Client"
                  " Apps of each org, made now, and the configuration. Classic connected apps are not listed.", ask.at,
                  columns, rows, {"orgs": len(orgs), **figures}, ask.org)  # fmt: skip


_VERDICTS = ("configured", "disabled", "not configured", "not in the org", "unknown")


def _of_org(ask: Ask, org: str) -> Iterator[dict[str, object]]:
    ours = {name: app for name, app in ask.connections.config.apps.items() if app.org == org}
    try:
        listed = ask.connections.org(org).query(SOQL, MOST)
    except RotatorError as error:
        yield {"org": org, "verdict": "unknown", "why": error.message}
        return
    if len(listed) >= MOST:
        yield {"org": org, "verdict": "unknown", "why": f"the org has {MOST} apps or more: not all were listed"}
    for name, app in ((name, app) for name, app in own_apps(ask.connections.config).items() if app.org == org):
        try:
            ours[name] = app.model_copy(update={"app": find_own(ask.connections, name, app).app_id})
        except RotatorError as error:
            yield {"org": org, "app": name, "verdict": "unknown", "why": error.message}
    claimed = set[str]()
    for row in listed:
        names = [name for name, app in ours.items() if _is(app, row)]
        claimed |= set(names)
        yield from (_row(org, row, name, ours[name]) for name in names)
        if not names:
            yield {**_about(org, row), "verdict": "not configured", "why": "nobody rotates it here"}
    yield from (_absent(org, name, ours[name]) for name in ours.keys() - claimed)


def _is(app: AppConfig, row: Mapping[str, object]) -> bool:
    """Named by its developer name, or by its id of 15 or 18 characters."""
    return app.app == row.get("DeveloperName") or (len(app.app) >= 15 and app.app[:15] == str(row.get("Id"))[:15])


def _about(org: str, row: Mapping[str, object]) -> dict[str, object]:
    return {"org": org, "developer_name": row.get("DeveloperName"), "app_id": row.get("Id")}


def _row(org: str, row: Mapping[str, object], name: str, app: AppConfig) -> dict[str, object]:
    verdict = "configured" if app.enabled else "disabled"
    return {**_about(org, row), "app": name, "verdict": verdict, "why": "" if app.enabled else "enabled = false"}


def _absent(org: str, name: str, app: AppConfig) -> dict[str, object]:
    if app.kind != "external_client_app":
        return {"org": org, "app": name, "verdict": "unknown", "why": "a classic connected app: these are not listed"}
    return {"org": org, "app": name, "verdict": "not in the org", "why": f"no app {app.app} is listed"}
