"""Whether the credentials resources, of which the staged API is a part, serve classic connected apps (reference 5.1).

The fact `classic_has_staged_api`: asked by a read of keys, of the org's first classic apps; no secret, and no change.
"""

from __future__ import annotations

from rotator.adapters.salesforce import queries, wire
from rotator.adapters.salesforce.ids import is_id, long_id
from rotator.adapters.salesforce.rest import Rest
from rotator.domain.errors import NotFound

FEW = 3  # apps that are asked about: the first may be a packaged one, which says nothing of the others


def staging(rest: Rest) -> bool | None:
    """Whether any of the first classic apps is served; None where the org has none. Raises as a read does."""
    rows = queries.query(rest, "SELECT Id FROM ConnectedApplication", "listing classic connected apps", FEW).rows
    apps = [long_id(found) for row in rows if is_id(found := wire.text(row, "Id"))]
    return any(_served(rest, app) for app in apps[:FEW]) if apps else None


def _served(rest: Rest, app: str) -> bool:
    what = "asking for a classic app's consumers"
    try:
        found = queries.pages(rest, f"/apps/oauth/credentials/{app}", "consumers", what)
    except NotFound:
        return False
    return bool(found.rows)
