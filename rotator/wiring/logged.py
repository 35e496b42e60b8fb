"""The log's lines about a rotation."""

from __future__ import annotations

from rotator import log
from rotator.domain.event import Event
from rotator.domain.rotation import Rotation

LOG = log.get("saga")


def logged(event: Event, row: Rotation) -> None:
    """One line per row of the trail."""
    LOG.info(log.Word.STEP, app=row.app, org=row.org, rotation_id=row.id, trigger=row.trigger, step=event.step,
             phase=event.phase, outcome=event.outcome, state=row.state, http_status=event.http_status,
             remote_request_id=event.request_id or None)  # fmt: skip
