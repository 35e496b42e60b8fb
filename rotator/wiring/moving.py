"""An org that is another than before: a refreshed sandbox. Nothing is done in it until a person says which it is."""

from __future__ import annotations

from rotator.adapters.sql.survey import Survey
from rotator.domain.rotation import Who
from rotator.domain.sighting import Sighting
from rotator.wiring.connections import Connections


def held(connections: Connections, org: str, seen: Survey) -> str:
    """Why nothing begins in this org, in words; "" where it may. A new id in the configuration lifts the hold: what was
    seen was held against the id of before."""
    was, stated = seen.moved.get(org), connections.config.orgs[org].org_id if org in connections.config.orgs else ""
    if was is None or (stated and stated[:15] != was[:15]):
        return ""
    return f"{org} is another org than before: put its new id into `org_id` of [orgs.{org}]"


def hold(connections: Connections, org: str, seen: Sighting) -> None:
    """Holds whatever is open in the org, and drops the sessions that it gave us: a login looks at its id again."""
    for row in connections.ledger.rotations():
        if row.org == org:
            connections.ledger.hold(row.id, Who("rotator", "daemon"), code="org_changed", message=seen.words,
                                    fix=f"{seen.fix}; what was open here: `rotator abandon {row.app}`")  # fmt: skip
    connections.forget(org)
