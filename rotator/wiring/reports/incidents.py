"""Forced rotations, and holds: what happened, who decided, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from rotator.adapters.sql import recounting
from rotator.adapters.sql.recounting import Held
from rotator.domain.rotation import Rotation
from rotator.domain.words import CLAIMS, State
from rotator.reports.report import Report, Span
from rotator.wiring.leaking import is_drill
from rotator.wiring.reports.ask import Ask


def forces(ask: Ask) -> Report:
    """Every forced rotation, with its ticket, who asked and approved, and how long each part took."""
    database = ask.connections.database
    told, reviewed = recounting.forced(database, ask.since, ask.org), _by_rotation(database_rows(ask, "review"))
    columns = {"app": "App", "org": "Org", "started_at": "Begun", "actor": "By", "approver": "Approved by",
               "break_glass": "Break-glass", "reviewed_by": "Reviewed by", "ticket": "Ticket", "reason": "Reason",
               "drill": "Drill", "state": "State", "refused_after_s": "Old pair refused after",
               "ended_after_s": "Ended after", "sessions_ended": "Sessions ended", "claims": "Proof",
               "rotation_id": "Rotation"}  # fmt: skip
    rows = tuple(_force(one, reviewed.get(one.id, "")) for one in told)
    spans = tuple(Span(one.app, one.started_at, one.ended_at, one.state is not State.DONE)
                  for one in told if one.started_at)  # fmt: skip
    unreviewed = sum(one.who.break_glass and one.id not in reviewed for one in told)
    figures = {"forced": len(told), "proven": sum(one.state is State.DONE for one in told),
               "still_open": sum(not one.ended for one in told),
               "without_ticket": sum(not one.who.ticket for one in told),
               "break_glass_not_reviewed": unreviewed}  # fmt: skip
    return Report("forces", "Forced rotations", "Each answer to a compromise, from the rotations and the trail.",
                  ask.at, columns, rows, figures, ask.org, ask.since, spans=spans)  # fmt: skip


def database_rows(ask: Ask, step: str) -> list[Mapping[str, object]]:
    """Rows of the trail of this step."""
    return list(recounting.steps_of(ask.connections.database, step))


def _by_rotation(rows: list[Mapping[str, object]]) -> dict[str, str]:
    return {str(row["rotation_id"]): f"{row['actor']}, {str(row['ts'])[:16]}Z" for row in rows}


def _force(one: Rotation, reviewed: str) -> dict[str, object]:
    claims = ", ".join(f"{name} {one.claims[name].value}" for name in CLAIMS if name in one.claims)
    return {"app": one.app, "org": one.org, "started_at": one.started_at, "actor": one.who.actor,
            "approver": one.who.approver, "break_glass": one.who.break_glass, "reviewed_by": reviewed,
            "ticket": one.who.ticket, "reason": one.who.reason, "drill": is_drill(one), "state": one.state.value,
            "refused_after_s": _after(one, one.refused_at), "ended_after_s": _after(one, one.ended_at),
            "sessions_ended": one.revoked, "claims": claims, "rotation_id": one.id}  # fmt: skip


def _after(one: Rotation, moment: datetime | None) -> timedelta | None:
    """`refused_at` is by the org's clock, which may be behind ours."""
    return max(moment - one.started_at, timedelta(0)) if moment and one.started_at else None


def holds(ask: Ask) -> Report:
    """Every hold: why, how long, who let it go on and what became of it."""
    told = recounting.holds(ask.connections.database, ask.since, ask.org)
    columns = {"app": "App", "org": "Org", "since": "Held since", "code": "Code", "why": "Why", "ended_at": "Ended",
               "lasted_s": "Lasted", "ended_by": "Ended by", "actor": "Who", "became": "Became",
               "rotation_id": "Rotation"}  # fmt: skip
    spans = tuple(Span(one.app, one.since, one.end, one.end is None) for one in told)
    figures = {"holds": len(told), "still_held": sum(one.end is None for one in told)}
    return Report("holds", "Holds, and how they ended", "Each time a rotation stopped for a human, from the trail.",
                  ask.at, columns, tuple(_hold(one, ask.at) for one in told), figures, ask.org, ask.since,
                  spans=spans)  # fmt: skip


def _hold(one: Held, now: datetime) -> dict[str, object]:
    return {"app": one.app, "org": one.org, "since": one.since, "code": one.code, "why": one.why, "ended_at": one.end,
            "lasted_s": (one.end or now) - one.since, "ended_by": one.ended_by or "still held", "actor": one.actor,
            "became": one.became, "rotation_id": one.rotation_id}  # fmt: skip
