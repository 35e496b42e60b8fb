"""`pause` and `resume`: routine work of an app, of an org, or of everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from rotator.adapters.sql.pauses import Pauses
from rotator.adapters.sql.survey import survey
from rotator.domain.errors import UsageError
from rotator.domain.pause import Pause, Scope, pause_of
from rotator.domain.rotation import Who
from rotator.wiring.connections import Connections
from rotator.wiring.naming import nearest
from rotator.wiring.told import moment

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Extent:
    """What is to be paused or resumed."""

    scope: Scope
    name: str = ""
    org: str = ""  # of an app


def extent(connections: Connections, app: str, org: str, *, everything: bool) -> Extent:
    """From what was said. Raises UsageError where it is not exactly one of the three, or a name is not known."""
    if bool(app) + bool(org) + everything != 1:
        raise UsageError("name one app, or --org ORG, or --all", fix="see `rotator pause --help`")
    if everything:
        return Extent(Scope.ALL)
    if app:
        return Extent(Scope.APP, app, connections.app(app).org)
    if org not in connections.config.orgs:
        raise UsageError(f"no org is called {org}{nearest(org, connections.config.orgs)}", code="unknown_org",
                         fix="see [orgs] in the configuration")  # fmt: skip
    return Extent(Scope.ORG, org, org)


def pause(connections: Connections, what: Extent, who: Who, lasting: timedelta | None) -> Pause:
    """Pauses, until somebody resumes or the time is over."""
    seconds = lasting.total_seconds() if lasting is not None else None
    return _pauses(connections).begin(what.scope, what.name, what.org, who, seconds)


def resume(connections: Connections, what: Extent, who: Who) -> Pause | None:
    """Lifts the pause; None where there was none."""
    return _pauses(connections).lift(what.scope, what.name, what.org, who)


def paused(connections: Connections, what: Extent, who: Who, lasting: timedelta | None) -> Json:
    """The document of `rotator pause`."""
    begun = pause(connections, what, who, lasting)
    return _document(connections, f"{_named(what)}: {begun}")


def resumed(connections: Connections, what: Extent, who: Who) -> Json:
    """The document of `rotator resume`; an app that its org's pause still covers is told."""
    lifted = resume(connections, what, who)
    apps = [what.name] if what.scope is Scope.APP else []
    still = [str(one) for _, one in paused_among(connections, apps)]
    words = "resumed" if lifted else "was not paused"
    return _document(connections, "; still ".join([f"{_named(what)}: {words}", *still]))


def _named(what: Extent) -> str:
    return what.name or "everything"


def _document(connections: Connections, words: str) -> Json:
    pauses = [as_json(one) for one in survey(connections.database).pauses]
    return {"ok": True, "exit": 0, "pauses": pauses, "message": words}


def paused_among(connections: Connections, apps: Iterable[str]) -> Iterable[tuple[str, Pause]]:
    """Those of these apps that are paused, with the pause that says so."""
    pauses = survey(connections.database).pauses
    for name in dict.fromkeys(apps):
        known = connections.apps.get(name)
        found = pause_of(pauses, name, known.org) if known is not None else None
        if found is not None:
            yield name, found


def warnings(connections: Connections, apps: Iterable[str]) -> Iterable[str]:
    """What a person should know who rotates these all the same."""
    return (f"{name} is {pause}; it is rotated all the same" for name, pause in paused_among(connections, apps))


def as_json(pause: Pause) -> Json:
    """A pause, as JSON."""
    return {"scope": pause.scope.value, "name": pause.name or None, "actor": pause.actor,
            "reason": pause.reason or None, "since": moment(pause.since), "until": moment(pause.until)}  # fmt: skip


def _pauses(connections: Connections) -> Pauses:
    return Pauses(connections.database, connections.context)
