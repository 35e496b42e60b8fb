"""The document as a file: checksums, signature, and what is wrong with one that was given to us."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from rotator.domain.chain import canonical, row_hash
from rotator.domain.errors import Unintelligible
from rotator.evidence.clocks import Json, Row
from rotator.evidence.story import story

KIND = "rotator-evidence-v1"
TAG = b"rotator evidence v1\n"  # so that no other kind of document can ever have its signature
ADDENDUM = ("addendum", "verdict", "old_pair", "pairs", "live", "logins", "changes", "changed", "complete", "notes")
SECTIONS = ("rotation", "story", "asked_anew", "chain", "rows", "approvals")


class Key(Protocol):
    """The public half of the key that must have signed."""

    @property
    def id(self) -> str: ...

    def made(self, signature: str, data: bytes) -> bool: ...


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def sealed(document: Json) -> Json:
    """The document with a checksum of each section."""
    return {"kind": KIND, **document, "checksums": {name: digest(document[name]) for name in SECTIONS}}


def signed_part(document: Mapping[str, Any]) -> bytes:
    """What is signed: the tag and the canonical JSON of all members but the signature."""
    return TAG + canonical({name: value for name, value in document.items() if name != "signature"}).encode()


def addendum_part(told: Mapping[str, object]) -> bytes:
    """What is signed of an addendum; the trail adds to its row who wrote it."""
    return TAG + canonical({name: told[name] for name in ADDENDUM}).encode()


def read_package(text: str) -> Json:
    """A document as it stands in a file. Raises Unintelligible for anything else."""
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if not isinstance(told, dict) or told.get("kind") != KIND:
        raise Unintelligible("this is no evidence package of rotator", code="evidence",
                             fix="name the evidence-<id>.json that rotator wrote")
    return told


def wrong(document: Json, key: Key, page: bytes | None) -> list[str]:
    """Everything that is wrong with it, in words; nothing where it is what was signed. `page`: the HTML beside it."""
    try:
        inside = (*_sums(document), *_rows(document), *_told(document), *_addenda(document, key),
                  *_page(document, page))  # fmt: skip
        return [*_signature(document, key), *inside]
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        return [*_signature(document, key), f"it is damaged: {type(error).__name__}"]


def _signature(document: Json, key: Key) -> Iterator[str]:
    told = document.get("signature")
    if not isinstance(told, Mapping) or not told.get("value"):
        yield "it is not signed"
    elif told.get("key_id") != key.id:
        yield f"it names another key: {told.get('key_id')}, not {key.id}"
    elif not key.made(str(told["value"]), signed_part(document)):
        yield f"the signature is not one of key {key.id} over this content"


def _sums(document: Json) -> Iterator[str]:
    for name in SECTIONS:
        if document["checksums"].get(name) != digest(document[name]):
            yield f"the section {name} is not the one that was sealed"


def _rows(document: Json) -> Iterator[str]:
    """Each row has the hash that it says, and follows the one before where that is here."""
    before: Row | None = None
    for row in [*document["approvals"], *document["rows"]]:
        if row_hash(as_stored(row)) != row["hash"]:
            yield f"row {row['seq']} of the trail was changed"
        if before is not None and row["seq"] == before["seq"] + 1 and row["prev_hash"] != before["hash"]:
            yield f"row {row['seq']} of the trail does not follow row {before['seq']}"
        before = row


def _told(document: Json) -> Iterator[str]:
    again = json.loads(canonical(story(document["rows"], document["approvals"])))
    for name, told in again.items():
        if document["story"].get(name) != told:
            yield f"{name} is not what the rows of the trail say"


def _addenda(document: Json, key: Key) -> Iterator[str]:
    for row in document["rows"]:
        told = row["evidence"]
        if "addendum" in told and told.get("key_id") == key.id and not key.made(told["signature"], addendum_part(told)):
            yield f"the addendum of {told['addendum']} h is not what key {key.id} signed"


def _page(document: Json, page: bytes | None) -> Iterator[str]:
    if page is not None and hashlib.sha256(page).hexdigest() != document["page"]["sha256"]:
        yield f"{document['page']['file']} is not the page that was made with it"


def as_stored(row: Row) -> Json:
    """A row as the trail stores it, which its hash covers."""
    return {**row, "evidence": canonical(row["evidence"]), "break_glass": int(row["break_glass"])}


def chain_of(rows: Sequence[Row], head: tuple[int, str]) -> Json:
    """Where in the trail the rows stand."""
    return {"first_seq": rows[0]["seq"], "last_seq": rows[-1]["seq"], "rows": len(rows), "head_seq": head[0],
            "head_hash": head[1]}  # fmt: skip
