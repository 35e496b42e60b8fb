"""Every request that reached an org or the Vault, with what became of it; never a secret."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from rotator.simulator.wire import purpose
from rotator.simulator.wire.call import Call, Reply

KEPT = 200_000


@dataclass
class Record:
    """One request. `applied`: it reached the state; `effect`: what changed; `fault`: what was done to it."""

    n: int
    at: float
    site: str
    method: str
    path: str
    purpose: str
    about: str
    status: int = 0
    applied: bool = False
    effect: str = ""
    fault: str = ""
    late: bool = False
    client_gone: bool = False


class History:
    """Records in order, numbered from 1; clearing keeps counting."""

    def __init__(self) -> None:
        self.records: deque[Record] = deque(maxlen=KEPT)
        self.last = 0

    def open(self, call: Call, at: float) -> Record:
        """Number a request and start its record."""
        self.last += 1
        call.n = self.last
        record = Record(call.n, at, call.site, call.method, call.path, purpose.guess(call), purpose.about(call))
        self.records.append(record)
        return record

    def applied(self, record: Record, reply: Reply) -> None:
        """Note what the state answered."""
        record.applied, record.status = True, reply.status
        record.effect, record.about = reply.effect, reply.about or record.about

    def listed(self, **fits: str) -> list[dict[str, Any]]:
        """Records as JSON, filtered by equal members (`since` is a number that is left out, and what lies before)."""
        since = int(fits.pop("since", "0"))
        chosen = (asdict(record) for record in self.records if record.n > since)
        return [one for one in chosen if all(str(one.get(k, "")) == v for k, v in fits.items())]
