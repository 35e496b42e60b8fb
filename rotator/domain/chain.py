"""The hash chain of the audit trail (docs/database.md): each row's hash covers the row and the hash before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring

GENESIS = "0" * 64  # prev_hash of row 1
TAG = b"rotator audit row v1\n"  # so that no other kind of document can ever have the hash of a row


def canonical(value: object) -> str:
    """One text per value (RFC 8785 for what stands in a row): sorted keys, no spaces, nothing escaped needlessly."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def row_hash(row: Mapping[str, object]) -> str:
    """SHA-256 over the tag, the row's `prev_hash` and the canonical JSON of all its columns but `hash`; hex."""
    body = canonical({name: value for name, value in row.items() if name != "hash"})
    return hashlib.sha256(TAG + str(row["prev_hash"]).encode() + body.encode()).hexdigest()


def hash_in_order(names: Sequence[str]) -> Callable[[Sequence[object], str], str]:
    """The same hash for whole tables, twice as fast: of values that come in this order (sorted names, no `hash`), each
    a text, an integer or None. The function takes the values and their `prev_hash`."""
    whole = "{" + ",".join(f'"{name}":%s' for name in names) + "}"

    def hashed(values: Sequence[object], previous: str) -> str:
        told = [encode_basestring(v) if type(v) is str else "null" if v is None else v for v in values]
        return hashlib.sha256(TAG + previous.encode() + (whole % tuple(told)).encode()).hexdigest()

    return hashed
