"""What the saga says to the audit trail; the ledger adds who, where, when and the chain (contract.md: Database)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rotator.domain.ids import sortable_id
from rotator.domain.words import Outcome, Phase


@dataclass(frozen=True, slots=True)
class Event:
    """One audit row. `evidence` is an allow-list of plain values by construction: strings, numbers, booleans, lists
    of them. It never holds a secret, nor a hash of one."""

    step: str
    phase: Phase
    outcome: Outcome | None = None
    error: str = ""
    http_status: int | None = None
    request_id: str = ""
    vault_version: int | None = None
    duration_ms: int | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    # A commit whose answer was lost is sent again under the same id, and changes nothing the second time.
    id: str = field(default_factory=sortable_id, compare=False)
