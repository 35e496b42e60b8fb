"""A forced rotation is looked at again after 24 and 48 hours: a signed addendum in the trail, shown by `evidence`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from rotator import log
from rotator.adapters.sql.survey import forced_since
from rotator.domain.errors import ConfigError, RotatorError, Unavailable
from rotator.domain.event import Event
from rotator.domain.notice import Notice, Status, Topic, rotation_key
from rotator.domain.rotation import Rotation, Who
from rotator.domain.sight import Kind
from rotator.domain.words import Outcome, Phase, State
from rotator.evidence.clocks import Json
from rotator.evidence.package import addendum_part
from rotator.ports import Vault
from rotator.wiring.anchoring import signer_of
from rotator.wiring.connections import Connections
from rotator.wiring.evidence import look_at, staged, whose
from rotator.wiring.rotate import way_of_open

LOG = log.get("evidence")
HOURS = (24, 48)
PATIENCE = timedelta(hours=12)  # an org that is down is asked later, for so long; then what is known is written down
HORIZON = timedelta(days=7)  # what is older than that is left alone: no daemon ran


def look(connections: Connections, who: Who) -> int:
    """Writes every addendum that is due; gives how many. An org that cannot be asked stops none of the others."""
    written = 0
    now = connections.now()
    for row, hours in _due(connections, now):
        try:
            written += _add(connections, row, hours, who, now)
        except RotatorError as error:
            LOG.warning(log.Word.FOLLOW_UP_FAILED, error=error, rotation_id=row.id, app=row.app)
    return written


def _due(connections: Connections, now: datetime) -> Iterator[tuple[Rotation, int]]:
    for row in forced_since(connections.database, now - HORIZON):
        for hours in HOURS if row.state is not State.ABANDONED and row.started_at else ():
            since = row.started_at or now
            if since + timedelta(hours=hours) <= now and not connections.trail.known(_id(row, hours)):
                yield row, hours


def _id(row: Rotation, hours: int) -> str:
    """The same for every daemon: whoever is first writes it."""
    return f"{row.id}.addendum.{hours}"


def _add(connections: Connections, row: Rotation, hours: int, who: Who, now: datetime) -> int:
    """Raises Unavailable where the org does not answer and there is time to ask again."""
    told = {"addendum": hours, **_seen(connections, row)}
    late = row.started_at is not None and now > row.started_at + timedelta(hours=hours) + PATIENCE
    if told["verdict"] == "unknown" and not late:
        raise Unavailable("the org or Vault could not be looked at: it is tried again")
    signer = None
    with suppress(ConfigError):
        signer = signer_of(connections)
    signed = {"key_id": signer.public.id if signer else "", "signature": signer.sign(addendum_part(told)) if signer
              else ""}  # fmt: skip
    outcome = {"clean": Outcome.OK, "unknown": Outcome.UNKNOWN}.get(str(told["verdict"]), Outcome.FAILED)
    event = Event("force", Phase.OBSERVE, outcome, evidence={**told, **signed}, id=_id(row, hours))
    connections.trail.record(event, who, org=row.org, app=row.app, rotation_id=row.id)
    if outcome is Outcome.FAILED:
        connections.outbox.tell([_notice(row, str(told["old_pair"]))])
    return 1


def _seen(connections: Connections, row: Rotation) -> Json:
    """Where the old pair is now, and what happened since the decision."""
    ports, since = way_of_open(connections, row).ports, row.started_at or connections.now()
    pairs = staged(ports.salesforce, row)
    live, notes = _live(ports.vault, row)
    logins, changes = (look_at(ports.salesforce, row, kind, since) for kind in (Kind.LOGINS, Kind.CHANGES))
    old = [str(one["place"]) for one in pairs["rows"] if one["is"] == "old"] + (["live path"] if live == "old" else [])
    whole = pairs["seen"] and not notes
    return {
        "verdict": "old pair back" if old else "clean" if whole else "unknown",
        "old_pair": f"back: {', '.join(old)}" if old else "in no place" if whole else "unknown",
        "pairs": pairs["rows"], "live": live, "logins": logins["counts"], "changes": changes["total"],
        "changed": changes["rows"][:5], "complete": logins["complete"] and changes["complete"],
        "notes": [*pairs["notes"], *notes, *logins["notes"], *changes["notes"]],
    }  # fmt: skip


def _live(vault: Vault, row: Rotation) -> tuple[str | None, list[str]]:
    """Whose pair the live path serves."""
    try:
        credential = vault.live(row.target).credential
    except RotatorError as error:
        return None, [f"the live path could not be read: {error.message}"]
    return (whose(row, credential.pair.key) if credential is not None else None), []


def _notice(row: Rotation, words: str) -> Notice:
    message = f"the pair that was forced out is {words}"
    return Notice(Topic.DRIFT, Status.ONCE, rotation_key(row.id, Topic.DRIFT), message,
                  fix=f"force it again with another reason, and see `rotator evidence {row.id}`", app=row.app,
                  org=row.org, rotation_id=row.id, reason="old_pair_back", vault_path=row.target.path)  # fmt: skip
