"""The second person: what waits for one, who approves it, and who reviews what was done without one."""

from __future__ import annotations

from rotator.adapters.sql import reviews
from rotator.domain.approval import Request
from rotator.domain.rotation import Rotation, Who
from rotator.wiring.connections import Connections
from rotator.wiring.told import moment

Json = dict[str, object]


def approved(connections: Connections, request_id: str, who: Who) -> Json:
    """The document of `rotator approve ID`. Raises Refused (`approval_own`, `approval_expired`), NotFound."""
    return _document(connections, [connections.approvals.approve(request_id, who)])


def waiting(connections: Connections) -> Json:
    """The document of `rotator approve` without an id: what waits."""
    return _document(connections, [one for one in connections.approvals.open() if one.approved_at is None])


def _document(connections: Connections, requests: list[Request]) -> Json:
    return {"ok": True, "exit": 0, "requests": [as_json(one) for one in requests]}


def as_json(request: Request) -> Json:
    """A request, as JSON."""
    return {
        "request_id": request.id, "action": request.action, "apps": [one.app for one in request.subjects],
        "actor": request.who.actor, "reason": request.who.reason, "ticket": request.who.ticket,
        "asked_at": moment(request.asked_at), "until": moment(request.until),
        "approver": request.who.approver or None, "approved_at": moment(request.approved_at),
    }  # fmt: skip


def reviewed(connections: Connections, rotation_id: str, who: Who) -> Json:
    """The document of `rotator review`. Raises Refused (`review_own`, `not_break_glass`, `reviewed`), NotFound."""
    row = reviews.review(connections.database, connections.context, rotation_id, who, connections.routes)
    return {"ok": True, "exit": 0, "reviewed": {**_told(row), "reviewer": who.actor}}


def to_review(connections: Connections) -> list[Json]:
    """The break-glass rotations that nobody has reviewed."""
    return [_told(row) for row in reviews.unreviewed(connections.database)]


def _told(row: Rotation) -> Json:
    return {"rotation_id": row.id, "app": row.app, "org": row.org, "actor": row.who.actor, "reason": row.who.reason,
            "ticket": row.who.ticket, "started_at": moment(row.started_at), "state": row.state.value}  # fmt: skip
