"""An anchor: the end of the audit chain at one moment, signed, and kept where the database's owner cannot reach it.

The chain shows what was changed inside it. That its tail was cut off, or that it was replaced as a whole, only somebody
can tell who remembers how far it went: an anchor does (docs/audit.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from rotator.domain.chain import canonical
from rotator.domain.errors import Unintelligible

TAG = b"rotator anchor v1\n"  # so that no other kind of document can ever have its signature
KIND = "rotator-anchor-v1"


@dataclass(frozen=True, slots=True)
class Anchor:
    """Row `seq` of the trail has this hash, and so has every row before it the one that the chain says."""

    seq: int
    hash: str
    at: str  # the database's clock, RFC 3339
    why: str  # hourly | force | command
    host: str
    version: str
    key_id: str = ""  # names the key that signed; "": not signed
    signature: str = ""  # Ed25519, base64

    @property
    def body(self) -> bytes:
        """What is signed: the tag and the canonical JSON of all members but the signature."""
        return TAG + canonical({name: value for name, value in self._members().items() if name != "signature"}).encode()

    @property
    def id(self) -> str:
        """Names this anchor: the start of the SHA-256 of what is signed."""
        return hashlib.sha256(self.body).hexdigest()[:32]

    def signed(self, signature: str) -> Anchor:
        """The same with its signature."""
        return replace(self, signature=signature)

    def text(self) -> str:
        """One line of JSON."""
        return canonical(self._members())

    def _members(self) -> dict[str, object]:
        return {"kind": KIND, **asdict(self)}


def read_anchor(line: str) -> Anchor:
    """The anchor that `text` wrote. Raises Unintelligible for anything else."""
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if not isinstance(told, Mapping) or told.get("kind") != KIND:
        raise Unintelligible("this is not an anchor of rotator", code="anchor", fix="name a file that rotator wrote")
    values = {name: told.get(name) for name in Anchor.__slots__}
    texts = [value for name, value in values.items() if name != "seq"]
    if type(values["seq"]) is not int or not all(isinstance(text, str) for text in texts):
        raise Unintelligible("this anchor is damaged", code="anchor", fix="compare it with the copy in another place")
    return Anchor(**values)  # type: ignore[arg-type] # looked at above


def by_seq(anchors: Iterable[Anchor]) -> dict[int, list[str]]:
    """For a verification: the hashes that were anchored for each row."""
    found: dict[int, list[str]] = {}
    for anchor in anchors:
        found.setdefault(anchor.seq, []).append(anchor.hash)
    return found
