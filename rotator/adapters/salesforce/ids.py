"""Salesforce ids: 15 characters, case-sensitive, or the same with a checksum of three (reference section 10)."""

from __future__ import annotations

import re
import unicodedata

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_OPAQUE = re.compile(r"(?!\.+\Z)[A-Za-z0-9._~=+:-]{1,200}")
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def is_id(text: object) -> bool:
    """Whether it has the form of an id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def long_id(text: str) -> str:
    """The 18-character form, so that one record has one name whatever the org writes. Anything else: as it is.

    The three characters say which of the 15 are upper case: five bits each (published algorithm).
    """
    if not is_id(text):
        return text
    groups = (text[0:5], text[5:10], text[10:15])
    return text[:15] + "".join(_CHECKSUM[sum(1 << i for i, c in enumerate(g) if "A" <= c <= "Z")] for g in groups)


def same(left: str, right: str) -> bool:
    """Whether two ids name one record: the first 15 characters, case-sensitively."""
    return is_id(left) and is_id(right) and left[:15] == right[:15]


def opaque(value: object) -> str:
    """An id of unknown form (staged credentials, usage tokens) if it is safe as a path segment, else nothing."""
    return value if isinstance(value, str) and _OPAQUE.fullmatch(value) else ""


def last_segment(url: object, parent: str) -> str:
    """The id at the end of a returned URL, after `/parent/`. Host and version are ignored on purpose: a returned
    URL is never called, only an id is taken from it and the address built anew on the pinned host."""
    found = re.search(rf"/{parent}/([^/?#]+)/?(?:[?#].*)?\Z", url) if isinstance(url, str) and len(url) < 2000 else None
    return opaque(found[1]) if found else ""


def plain(value: object, limit: int = 200) -> str:
    """A name from the far side without control, format and private characters, cut to the limit."""
    text = value if isinstance(value, str) else ""
    return "".join(c for c in text[: limit * 4] if unicodedata.category(c)[0] != "C").strip()[:limit]
