"""`rotator report`: the reports by name; who asked for one stands in the trail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from rotator.domain.errors import UsageError
from rotator.reports.report import Report
from rotator.wiring.asking import who
from rotator.wiring.connections import Connections
from rotator.wiring.naming import nearest
from rotator.wiring.reading import note
from rotator.wiring.reports.ages import ages, overdue
from rotator.wiring.reports.ask import Ask
from rotator.wiring.reports.completeness import completeness
from rotator.wiring.reports.controls import controls
from rotator.wiring.reports.incidents import forces, holds

Progress = Callable[[int], None]
REPORTS: Mapping[str, Callable[[Ask], Report]] = {
    "ages": ages, "overdue": overdue, "forces": forces, "holds": holds, "completeness": completeness,
}  # fmt: skip


def report(connections: Connections, env: Mapping[str, str], name: str, org: str, since: datetime | None,
           progress: Progress | None = None) -> Report:
    """The report of this name. Raises UsageError for an unknown org, and what the database raises."""
    if org and org not in connections.config.orgs:
        raise UsageError(f"no org is called {org}{nearest(org, connections.config.orgs)}", code="unknown_org",
                         fix="see [orgs] in the configuration")  # fmt: skip
    ask = Ask(connections, connections.now(), org, since)
    made = controls(ask, progress) if name == "controls" else REPORTS[name](ask)
    note(connections, who(env), {"read": f"report {name}", "org": org or None, "rows": len(made.rows)})
    return made
