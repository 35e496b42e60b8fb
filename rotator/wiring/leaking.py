"""If a secret leaked now: how long it would live, as the last drill or force showed. No call to an org or to Vault."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rotator.domain.rotation import Rotation
from rotator.domain.words import Claim
from rotator.wiring.told import moment

DRILL = "drill"
Json = dict[str, object]


def if_leaked(name: str, org: str | None, forced: Mapping[str, Rotation]) -> Json:
    """From the app's own last force or drill, else from the newest of its org; `unknown` and null where none was.

    `sessions_dead`: whether it could be proven that the sessions of the old pair died.
    """
    others = [row for row in forced.values() if row.org == org and row.started_at is not None]
    row = forced.get(name) or max(others, key=lambda one: str(one.started_at), default=None)
    if row is None:
        return {"refused_s": None, "proven_s": None, "sessions_dead": "unknown", "seen_on": None, "seen_at": None,
                "drill": None}  # fmt: skip
    claim = row.claims.get("tokens")
    dead = "yes" if claim is Claim.PROVEN else "no" if claim is Claim.FAILED or _alive(row) else "unknown"
    return {
        "refused_s": _after(row, row.refused_at), "proven_s": _after(row, row.ended_at if row.proven else None),
        "sessions_dead": dead,
        "seen_on": row.app, "seen_at": moment(row.started_at), "drill": row.who.reason == DRILL,
    }  # fmt: skip


def _alive(row: Rotation) -> bool:
    return row.reason in ("canary_alive", "sessions_listed")


def _after(row: Rotation, at: datetime | None) -> float | None:
    if at is None or row.started_at is None:
        return None
    return max(0.0, round((at - row.started_at).total_seconds(), 1))
