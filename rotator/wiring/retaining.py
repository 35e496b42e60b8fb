"""`audit prune` and `audit hold`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from rotator.adapters.sql import retention
from rotator.adapters.sql.database import moment
from rotator.adapters.sql.retention import Horizon, LegalHold
from rotator.domain.errors import ApprovalNeeded, InvariantBroken, Unavailable
from rotator.domain.rotation import Who
from rotator.domain.tombstone import Tombstone
from rotator.wiring.anchoring import Signer, anchor, signer_of
from rotator.wiring.connections import Connections
from rotator.wiring.pausing import Extent
from rotator.wiring.reading import whole
from rotator.wiring.tickets import check_ticket

ACTION = "audit prune"  # of the request for a second person


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went: `rows`, up to row `to`; `kept_by`: why not more; `tombstone_seq` None where nothing went."""

    rows: int
    to: int
    before: str
    kept_by: str
    tombstone_seq: int | None = None
    signed: bool = False


def prune(connections: Connections, who: Who, *, dry_run: bool) -> Pruned:
    """Removes the rows beyond `[audit] retention`, a tombstone at a time, and anchors the trail before and after.

    Raises ApprovalNeeded, UsageError for reason and ticket, InvariantBroken for a trail
    that does not verify, Unavailable where no place keeps an anchor, and what signing and the database raise.
    """
    keeps = connections.config.audit.retention
    found = retention.horizon(connections.database, keeps)
    if dry_run or not found.rows:
        return Pruned(found.rows, found.to, moment(found.before), found.kept_by)
    check_ticket(connections, who, "audit prune")
    who = _approved(connections, who)
    seen = whole(connections)
    if not seen.ok:
        raise InvariantBroken(f"the trail is broken at row {seen.first_bad_seq}: {seen.reason}: nothing is pruned",
                              fix="find out who changed it (docs/audit.md)")  # fmt: skip
    _anchored(connections, who)
    done = _pruned(connections, who, keeps, found)
    _anchored(connections, who)
    return done


def _approved(connections: Connections, who: Who) -> Who:
    """Whoever asked, with the approver where the configuration wants one. Raises ApprovalNeeded."""
    if not connections.config.approval.second_person:
        return who
    keeps = connections.config.audit.retention
    what = {"retention_s": round(keeps.total_seconds()), "reason": who.reason, "ticket": who.ticket}
    request = connections.approvals.ask(ACTION, what, who)
    if request.approved_at is None:
        raise ApprovalNeeded(request.id, "")
    return replace(who, approver=request.who.approver)


def _anchored(connections: Connections, who: Who) -> None:
    """An anchor of a row that stays: else the last one might name a row that is gone."""
    if connections.config.audit.anchors and not anchor(connections, who, "prune").ok:
        raise Unavailable("no place keeps an anchor: nothing is pruned without one", code="anchor",
                          fix="see `rotator audit anchor`")  # fmt: skip


def _pruned(connections: Connections, who: Who, keeps: timedelta, found: Horizon) -> Pruned:
    signer, rows, seq, last = signer_of(connections), 0, 0, found
    while found.rows:
        seq = retention.prune(connections.database, connections.context, who, _stone(found, who, signer))
        rows, last = rows + found.rows, found
        found = retention.horizon(connections.database, keeps)
    return Pruned(rows, last.to, moment(last.before), found.kept_by, seq, signer is not None)


def _stone(found: Horizon, who: Who, signer: Signer | None) -> Tombstone:
    made = Tombstone(found.first, found.to, found.last_hash, moment(found.before), who.actor, who.reason, who.ticket,
                     signer.public.id if signer else "")  # fmt: skip
    return made.signed(signer.sign(made.body)) if signer else made


def legal_hold(connections: Connections, what: Extent, who: Who, *, release: bool) -> bool:
    """Places or releases one; gives whether anything changed. Raises UsageError for reason and ticket."""
    check_ticket(connections, who, "audit hold")
    return retention.hold(connections.database, connections.context, who, what.scope, what.name, release=release)


def legal_holds(connections: Connections) -> list[LegalHold]:
    """Those in force."""
    return retention.holds(connections.database)
