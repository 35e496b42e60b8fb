"""From the names in the configuration to the ids in the org: the app, then its consumer (reference 6.1, 6.2)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from rotator.adapters.salesforce import queries, wire
from rotator.adapters.salesforce.ids import is_id, long_id, plain, same
from rotator.adapters.salesforce.rest import Rest
from rotator.adapters.salesforce.wire import Row
from rotator.domain.errors import ConfigError, NotFound, Refused, RotatorError
from rotator.domain.pair import Consumer

APP_PREFIX = "0xI"
_COLUMNS = "Id, DeveloperName, MasterLabel"


@dataclass(frozen=True, slots=True)
class App:
    """An External Client App as the org names it."""

    id: str
    name: str
    label: str


def find(rest: Rest, app: str, consumer: str) -> Consumer:
    """The one consumer that the names mean. Raises ConfigError where they mean none or several."""
    return _of_app(rest, find_app(rest, app), consumer)


def _of_app(rest: Rest, one: App, consumer: str) -> Consumer:
    rows = consumers(rest, one)
    return _named(rest, one, rows, _chosen(rows, one, consumer))


def with_keys(rest: Rest, app: App) -> list[tuple[Consumer, str]]:
    """Every consumer of an app with its present key, "" where the list does not tell it. Raises as `find`."""
    rows = consumers(rest, app)
    return [(_named(rest, app, rows, row), wire.text(row, "key")) for row in rows]


def find_by_key(rest: Rest, key: str, app: str) -> Consumer:
    """The one consumer whose primary key this is. With no `app`, every app of the org is asked for its consumers; some
    may not answer, as vendors' do. Raises ConfigError where none has it."""
    silent: list[RotatorError] = []
    for one in [find_app(rest, app)] if app else _every_app(rest):
        try:
            found = with_keys(rest, one)
        except (ConfigError, Refused) as error:
            silent.append(error)
            continue
        ours = next((consumer for consumer, its in found if its == key), None)
        if ours is not None:
            return ours
    unseen = f"; {len(silent)} apps did not show theirs: {silent[0].message}" if silent else ""
    raise ConfigError(
        f"no consumer {f'of {app}' if app else 'of the org'} shows the key of the rotator's own pair as its primary key"
        + unseen,
        fix="see `rotator check` (ADM-6), and that Vault holds the present pair; name the app by `app` in its table",
    )


def _every_app(rest: Rest) -> list[App]:
    """All apps that the rotator can see, each once; those that were used come first, as ours was."""
    used = [_from_list(row) for row in queries.pages(rest, "/apps/oauth/usage", "apps", "listing the apps").rows]
    soql = f"SELECT {_COLUMNS} FROM ExternalClientApplication"  # noqa: S608 - constants
    with suppress(Refused):
        used += [_from_query(row) for row in queries.query(rest, soql, "listing the apps").rows]
    return list({one.id: one for one in used if is_id(one.id)}.values())


def _named(rest: Rest, app: App, rows: list[Row], chosen: Row) -> Consumer:
    return Consumer(
        org_id=rest.org_id,
        app_id=app.id,
        consumer_id=wire.consumer_id(chosen),
        app_name=app.name,
        label=app.label or plain(chosen.get("name")),
        siblings=len(rows) - 1,
    )


def find_classic(rest: Rest, app: str) -> Consumer:
    """The classic connected app of this name or 0H4 id (reference section 8). Whether the credentials resources serve
    it nobody has documented (fact `classic_has_staged_api`): asked with a read. Raises ConfigError as `find`."""
    soql = "SELECT Id, Name FROM ConnectedApplication"
    rows = queries.query(rest, soql, "looking for the connected app").rows
    found = [one for one in (App(long_id(wire.text(row, "Id")), plain(row.get("Name")), "") for row in rows)
             if is_id(one.id) and (same(one.id, app) or one.name == app)]
    if len(found) != 1:
        raise ConfigError(f"{len(found) or 'no'} connected apps are called {app}", where="app",
                          fix="`app` is its name in Setup, App Manager, or its 0H4 id")  # fmt: skip
    one = found[0]
    try:
        return _of_app(rest, one, "")
    except (ConfigError, Refused):
        return Consumer(rest.org_id, one.id, one.id, one.name, one.name, assisted=True)


def find_app(rest: Rest, app: str) -> App:
    """By id or developer name: one query, else the usage list, which may lack apps that were never used (6.1)."""
    by_id = app.startswith(APP_PREFIX) and is_id(app)
    column = "Id" if by_id else "DeveloperName"
    soql = f"SELECT {_COLUMNS} FROM ExternalClientApplication WHERE {column} = {queries.quoted(app)}"  # noqa: S608
    try:
        found = [_from_query(row) for row in queries.query(rest, soql, "looking for the app").rows]
    except Refused as error:
        if error.http_status not in (400, 403, 404):
            raise
        found = []
    found = [one for one in found if is_id(one.id)] or _from_usage(rest, app, by_id)
    if len({one.id for one in found}) == 1:
        return found[0]
    if found:
        ids = ", ".join(sorted({one.id for one in found}))
        raise ConfigError(f"several apps are called {app}: {ids}", fix="give the 0xI id of one of them in `app`")
    raise ConfigError(
        f"no External Client App is called {app}",
        fix="`app` is the developer name (Setup, External Client App Manager), or the 0xI id",
    )


def _from_query(row: Row) -> App:
    return App(long_id(wire.text(row, "Id")), plain(row.get("DeveloperName")), plain(row.get("MasterLabel")))


def _from_list(row: Row) -> App:
    return App(long_id(wire.text(row, "identifier")), plain(row.get("developerName")), plain(row.get("label")))


def _from_usage(rest: Rest, app: str, by_id: bool) -> list[App]:
    rows = queries.pages(rest, "/apps/oauth/usage", "apps", "listing the apps").rows
    known = [_from_list(row) for row in rows]
    return [one for one in known if is_id(one.id) and (same(one.id, app) if by_id else one.name.lower() == app.lower())]


def consumers(rest: Rest, app: App) -> list[Row]:
    """The consumers of an app, each with an id. Raises ConfigError where the org knows no such app."""
    try:
        found = queries.pages(rest, f"/apps/oauth/credentials/{app.id}", "consumers", "listing the app's consumers")
    except NotFound:
        raise ConfigError(
            f"the org has no OAuth consumers for {app.name or app.id}", fix="turn on OAuth in the app's settings"
        ) from None
    unique = {wire.consumer_id(row): row for row in found.rows}
    return [row for consumer_id, row in unique.items() if is_id(consumer_id)]


def _chosen(rows: list[Row], app: App, consumer: str) -> Row:
    name = app.name or app.id
    if not rows:
        raise ConfigError(f"{name} has no OAuth consumer", fix="turn on OAuth in the app's settings")
    if not consumer:
        if len(rows) > 1:
            ids = ", ".join(sorted(wire.consumer_id(row) for row in rows))
            raise ConfigError(f"{name} has several consumers: {ids}", fix="name one of them in `consumer`")
        return rows[0]
    fits = [row for row in rows if same(wire.consumer_id(row), consumer) or wire.text(row, "key") == consumer]
    if len(fits) != 1:
        raise ConfigError(f"{name} has no consumer {consumer}", fix="give its 888 id in `consumer`")
    return fits[0]
