"""What an operator does to an open rotation: abandon it, or let a held one go on."""

from __future__ import annotations

from functools import partial

from rotator.domain.errors import Refused, RotatorError, UsageError
from rotator.domain.event import Event
from rotator.domain.pair import fingerprint
from rotator.domain.rotation import Rotation, Who
from rotator.domain.words import Outcome, Phase
from rotator.wiring.connections import Connections
from rotator.wiring.errand import Errand, Setting, Until
from rotator.wiring.rotate import open_row, usual, way_of_open


def abandon(connections: Connections, setting: Setting, app: str, who: Who, *, now: bool) -> Errand:
    """Asks for it. Gives the errand that goes on until everything is as it was.

    Raises UsageError for an unknown app, Refused where nothing is open or it is too late.
    """
    row = opened(connections, app, "abandon", who)
    try:
        asked = connections.ledger.ask_abandon(row.id, who, now=now)
    except Refused as error:
        raise told_no(connections, row, "abandon", who, error) from None
    return _errand(connections, setting, asked, Until.DONE, undoes=True)


def release(connections: Connections, setting: Setting, app: str, who: Who, *, discard_foreign: str = "") -> Errand:
    """Lets a held rotation go on. Gives the errand that goes as far as `rotate` would.

    `discard_foreign` names the foreign staged pair to delete.

    Raises UsageError for an unknown app or a fingerprint that is not the foreign pair's (nothing is changed), Refused
    where nothing is held.
    """
    row = opened(connections, app, "release", who)
    try:
        if discard_foreign:
            _must_be_foreign(connections, row, discard_foreign)
        freed = connections.ledger.release(row.id, who, discard_foreign=discard_foreign)
    except (Refused, UsageError) as error:
        raise told_no(connections, row, "release", who, error) from None
    return _errand(connections, setting, freed, usual(row.policy.overlap))


def opened(connections: Connections, app: str, command: str, who: Who) -> Rotation:
    """The open rotation of this app; where none is, the trail gets a row. Raises UsageError for an unknown app,
    Refused."""
    row = open_row(connections, app)
    if row is None:
        no = Refused(f"no rotation of {app} is open", code="not_open",
                     fix=f"nothing was done; `rotator status {app}` says how it stands")
        refused = Event("refused_command", Phase.DECISION, Outcome.REFUSED, error=no.message,
                        evidence={"command": command})
        connections.trail.record(refused, who, app=app)
        raise no
    return row


def _must_be_foreign(connections: Connections, row: Rotation, named: str) -> None:
    """The slot as it is now must hold this pair, and it must not be ours (invariant 5)."""
    entries = way_of_open(connections, row).ports.salesforce.slot(row.consumer)
    foreign = [fingerprint(entry.pair.key) for entry in entries if entry.pair.key not in row.ours]
    if named not in foreign:
        there = f"it holds {', '.join(foreign)}" if foreign else "it holds no foreign pair"
        raise UsageError(f"{named} is not the foreign pair in the staged slot of {row.app}: {there}",
                         fix="give the fingerprint that `rotator status` or `rotator check` shows", code="not_foreign")


def told_no(connections: Connections, row: Rotation, command: str, who: Who, error: RotatorError) -> RotatorError:
    """The error, once the trail has it: a refused command leaves a row too."""
    evidence = {"command": command, "code": error.code}
    event = Event("refused_command", Phase.DECISION, Outcome.REFUSED, error=error.message, evidence=evidence)
    connections.trail.record(event, who, org=row.org, app=row.app, rotation_id=row.id)
    return error


def _errand(connections: Connections, setting: Setting, row: Rotation, until: Until, *, undoes: bool = False) -> Errand:
    return Errand(setting, row.app, until, partial(way_of_open, connections, row), undoes=undoes)
