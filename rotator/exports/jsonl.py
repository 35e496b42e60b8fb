"""JSON Lines that anybody can verify: a first line about the export, the rows as they are stored, a last line.

Every line is canonical JSON (rotator.domain.chain), so that there is one way to write it; docs/export.md is the format,
docs/verify-export.mjs checks it without us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from rotator.domain.chain import canonical
from rotator.exports.about import About, End, Row

HEAD = "rotator-export-v1"
END = "rotator-export-end-v1"
TAG = b"rotator export v1\n"  # so that no other kind of document can ever have its signature

Sign = Callable[[bytes], str]


def lines(about: About, rows: Iterable[Row], sign: Sign | None = None, key_id: str = "") -> Iterator[str]:
    """The whole file, line by line. `sign` signs its last line with the key `key_id`."""
    digest, count = hashlib.sha256(), 0
    for line in _body(about, rows):
        digest.update(line.encode())
        count += 1
        yield line
    yield canonical(signed(End(count - 1, about.head, digest.hexdigest(), key_id).members, sign)) + "\n"


def signed(end: Mapping[str, object], sign: Sign | None) -> dict[str, object]:
    """The last line with its signature over all its other members."""
    members = {"kind": END, **end}
    return {**members, "signature": sign(TAG + canonical(members).encode()) if sign else ""}


def _body(about: About, rows: Iterable[Row]) -> Iterator[str]:
    yield canonical({"kind": HEAD, **about.members}) + "\n"
    for row in rows:
        yield canonical(row) + "\n"
