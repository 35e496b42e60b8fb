"""`db rebuild`: state from the trail, once the trail is known to be whole."""

from __future__ import annotations

from collections.abc import Mapping

from rotator.adapters.sql.rebuild import Rebuilt
from rotator.adapters.sql.rebuild import rebuild as rebuilt
from rotator.domain.errors import InvariantBroken
from rotator.wiring.asking import who
from rotator.wiring.connections import Connections


def rebuild(connections: Connections, env: Mapping[str, str], *, dry_run: bool) -> Rebuilt:
    """See adapters.sql.rebuild. Raises InvariantBroken where the chain is broken: such a trail is no witness."""
    found = connections.trail.verify_chain()
    if not found.ok:
        raise InvariantBroken(f"the trail is broken at row {found.first_bad_seq}: {found.reason}",
                              fix="restore a backup whose trail verifies, then `rotator db rebuild`")  # fmt: skip
    return rebuilt(connections.database, connections.context, who(env), dry_run=dry_run)
