"""If a secret leaked now: how long it would live, as the last drill or force showed, and what
the facts of its org say. No call to an org or to Vault."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from rotator.checks.calibrate.consequences import tokens_dead
from rotator.domain.errors import RotatorError
from rotator.domain.event import Event
from rotator.domain.facts import Facts
from rotator.domain.rotation import Rotation
from rotator.domain.words import Claim, Outcome, Phase
from rotator.wiring.anchoring import anchor_at_force
from rotator.wiring.connections import Connections
from rotator.wiring.told import moment

DRILL = "drill"  # the reason of one
UNKNOWN = "not enough is known of the org: `rotator calibrate` finds it out"
Json = dict[str, object]


def if_leaked(name: str, org: str | None, forced: Mapping[str, Rotation], facts: Facts) -> Json:
    """From the app's own last force or drill, else from the newest of its org; `unknown` and null where none was.

    `sessions_dead`: whether it could be proven that the sessions of the old pair died. `expected`, `why`: whether a
    force will be able to prove that, by what is known of the org (its profile, the configuration).
    """
    others = [row for row in forced.values() if row.org == org and row.started_at is not None]
    row = forced.get(name) or max(others, key=lambda one: str(one.started_at), default=None)
    expected = tokens_dead(facts)
    told: Json = {"expected": expected.answer, "why": expected.why if expected.answer != "unknown" else UNKNOWN}
    if row is None:
        return {"refused_s": None, "proven_s": None, "sessions_dead": "unknown", "seen_on": None, "seen_at": None,
                "drill": None, **told}  # fmt: skip
    return {**figures(row), "seen_on": row.app, "seen_at": moment(row.started_at), "drill": is_drill(row), **told}


def is_drill(row: Rotation) -> bool:
    """Whether this force was a rehearsal."""
    return row.force and row.who.reason == DRILL


def figures(row: Rotation) -> Json:
    """What a force or a drill showed: seconds until the old pair was refused and until all was proven, null where it
    was not; and whether its sessions are provably dead."""
    claim = row.claims.get("tokens")
    dead = "yes" if claim is Claim.PROVEN else "no" if claim is Claim.FAILED or _alive(row) else "unknown"
    return {"refused_s": _after(row, row.refused_at), "proven_s": _after(row, row.ended_at if row.proven else None),
            "sessions_dead": dead}  # fmt: skip


def keep_figures(connections: Connections, row: Rotation) -> None:
    """A row of the trail with what a drill showed, once, when it has ended; nothing for others. Never fails: what was
    done is done, and the rotation's own rows say the same."""
    event_id = f"{row.id}.drill"
    with suppress(RotatorError):
        if is_drill(row) and not connections.trail.known(event_id):
            outcome = Outcome.OK if row.proven else Outcome.UNKNOWN
            event = Event("force", Phase.OBSERVE, outcome, evidence={"drill": figures(row)}, id=event_id)
            connections.trail.record(event, row.who, org=row.org, app=row.app, rotation_id=row.id)


def force_ended(connections: Connections, row: Rotation) -> None:
    """What is left to do where a rotation has ended: a drill's figures, a force's anchor. Never fails."""
    keep_figures(connections, row)
    anchor_at_force(connections, row)


def _alive(row: Rotation) -> bool:
    return row.reason in ("canary_alive", "sessions_listed")


def _after(row: Rotation, at: datetime | None) -> float | None:
    if at is None or row.started_at is None:
        return None
    return max(0.0, round((at - row.started_at).total_seconds(), 1))
