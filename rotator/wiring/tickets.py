"""The reason and the ticket that an incident's commands ask for."""

from __future__ import annotations

import re

from rotator.domain.errors import UsageError
from rotator.domain.event import Event
from rotator.domain.rotation import Who
from rotator.domain.words import Outcome, Phase
from rotator.wiring.connections import Connections


def check_ticket(connections: Connections, who: Who, command: str) -> None:
    """A refused command leaves a row. Raises UsageError where reason or ticket is missing, or the ticket is none by
    `approval.ticket_pattern`."""
    pattern = connections.config.approval.ticket_pattern
    lacking = [name for name, value in (("--reason", who.reason), ("--ticket", who.ticket)) if not value.strip()]
    if not lacking and (not pattern or re.fullmatch(pattern, who.ticket)):
        return
    no = UsageError(
        f"{command} needs {' and '.join(lacking)}" if lacking else f"{who.ticket} is no ticket: the configuration wants"
        f" {pattern}", code="ticket", fix="give the id of the incident's ticket; see ticket_pattern in [approval]",
    )  # fmt: skip
    event = Event("refused_command", Phase.DECISION, Outcome.REFUSED, error=no.message, evidence={"command": command})
    connections.trail.record(event, who)
    raise no
