"""A tombstone: what stands in the trail in place of its oldest rows, once they were kept as long as was promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from rotator.domain.chain import canonical

TAG = b"rotator tombstone v1\n"  # so that no other kind of document can ever have its signature


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The rows `first` to `to` were removed; the chain goes on from `last_hash`, the hash of row `to`."""

    first: int
    to: int
    last_hash: str
    before: str  # every removed row was written before then, RFC 3339
    actor: str
    reason: str
    ticket: str
    key_id: str = ""  # names the key that signed; "": not signed
    signature: str = ""  # Ed25519, base64

    @property
    def count(self) -> int:
        """How many rows were removed."""
        return self.to - self.first + 1

    @property
    def body(self) -> bytes:
        """What is signed: the tag and the canonical JSON of all members but the signature."""
        return TAG + canonical({name: value for name, value in asdict(self).items() if name != "signature"}).encode()

    def signed(self, signature: str) -> Tombstone:
        """The same with its signature."""
        return replace(self, signature=signature)

    def evidence(self) -> dict[str, object]:
        """For its row."""
        return {**asdict(self), "count": self.count}


def read_tombstone(evidence: Mapping[str, object]) -> Tombstone | None:
    """The tombstone in the evidence of a row; None where it is none."""
    told = {name: evidence.get(name) for name in Tombstone.__slots__}
    numbers = all(type(told.pop(name)) is int for name in ("first", "to"))
    if not numbers or not all(isinstance(text, str) for text in told.values()):
        return None
    return Tombstone(**{name: evidence[name] for name in Tombstone.__slots__})  # type: ignore[arg-type] # looked at
