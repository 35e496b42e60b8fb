"""From Salesforce's JSON to the words of the domain, tolerating every ambiguity of reference section 12."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from rotator.adapters.http import Answer
from rotator.adapters.salesforce.ids import last_segment, long_id, opaque
from rotator.domain.pair import Author, Pair, SlotState, Staged
from rotator.domain.secret import Secret

Row = Mapping[str, object]

_KEY = re.compile(r"[\x21-\x7e]{1,1024}")
_STATES = {state.value.lower(): state for state in SlotState if state is not SlotState.UNKNOWN}
_LATEST = 32503680000.0  # the year 3000, in seconds


class Unreadable(ValueError):
    """The body is not what it must be; the text says in our words what is missing."""


def body(answer: Answer) -> object:
    """The body as JSON. Raises Unreadable."""
    try:
        return answer.json()
    except ValueError:
        raise Unreadable("the answer is not JSON") from None


def as_object(value: object) -> Row:
    """Raises Unreadable for anything but a JSON object."""
    if not isinstance(value, dict):
        raise Unreadable("the answer is not an object")
    return value


def rows(value: object, name: str) -> list[Row]:
    """The named list of a collection. Raises Unreadable where it is not there: absent does not mean empty."""
    items = as_object(value).get(name)
    if not isinstance(items, list):
        raise Unreadable(f"the answer has no list `{name}`")
    return [as_object(item) for item in items]


def text(row: Row, *names: str) -> str:
    """The first of these members that is a non-empty text, trimmed; else nothing."""
    values = (row.get(name) for name in names)
    return next((v.strip() for v in values if isinstance(v, str) and v.strip()), "")


def pair(row: Row) -> Pair:
    """Key and secret under any of their names. Raises Unreadable without a printable key."""
    key = text(row, "key", "consumerKey")
    if not _KEY.fullmatch(key):
        raise Unreadable("the answer holds no consumer key")
    secret = text(row, "secret", "consumerSecret")
    return Pair(key, Secret(secret) if _KEY.fullmatch(secret) else None)


def staged_rows(value: object) -> list[Row]:
    """Collection, bare array, wrapped or flat single object, as a list. Raises Unreadable for anything else: only an
    empty list means that nothing is staged (invariant 7), and a lone object without a key fails in `pair`."""
    inner = value.get("stagedCredentials", value) if isinstance(value, dict) else value
    items = inner if isinstance(inner, list) else [inner]
    return [as_object(item) for item in items]


def staged(row: Row, author: Callable[[str], Author], *, fresh: bool = False) -> Staged:
    """One entry. `fresh`: it comes from the answer to the POST, where a missing state means Active."""
    state = text(row, "state", "status").lower()
    known = SlotState.ACTIVE if fresh and not state else _STATES.get(state, SlotState.UNKNOWN)
    return Staged(
        id=staged_id(row),
        pair=pair(row),
        state=known,
        author=author(text(row, "createdBy")),
        expires_at=moment(row.get("expirationDate")),
    )


def staged_id(row: Row) -> str:
    """The entry's id, or the one at the end of its URL; "" where neither is there."""
    urls = (row.get(name) for name in ("stagedCredentialsUrl", "stagedCredentialsURL", "url"))
    return opaque(text(row, "id", "stagedCredentialId")) or next(
        filter(None, (last_segment(u, "staged") for u in urls)), ""
    )


def consumer_id(row: Row) -> str:
    """The id of a consumer, in its long form."""
    return long_id(text(row, "id", "consumerId"))


def more(value: object) -> bool:
    """Whether a page names a next one; it may name one although it is the last (reference 12)."""
    return bool(isinstance(value, dict) and text(value, "nextPageUrl"))


def moment(value: object) -> datetime | None:
    """A time in UTC from ISO 8601 (`Z`, `+0000`, milliseconds) or epoch seconds or milliseconds; None where it is
    not understood, which is not the same as long ago."""
    try:
        return _moment(value)
    except (ValueError, OverflowError):
        return None


def _moment(value: object) -> datetime | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(float(value))
    if not isinstance(value, str) or len(value) > 40:
        return None
    word = value.strip()
    if re.fullmatch(r"\d{9,14}", word):
        return _epoch(float(word))
    parsed = datetime.fromisoformat(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", word))
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _epoch(number: float) -> datetime | None:
    seconds = number / 1000 if number > _LATEST else number
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LATEST else None


def nested(row: Row, *path: str) -> str:
    """A text behind relationships, such as AppMenuItem.ApplicationId; "" where any part is null."""
    here: object = row
    for name in path:
        here = here.get(name) if isinstance(here, dict) else None
    return here.strip() if isinstance(here, str) else ""


def numbers(value: object) -> dict[str, tuple[int, int]]:
    """The answer of /limits as name -> (most, remaining); what is not understood is left out."""
    found: dict[str, tuple[int, int]] = {}
    for name, item in as_object(value).items():
        most, left = (item.get("Max"), item.get("Remaining")) if isinstance(item, dict) else (None, None)
        if isinstance(most, int) and isinstance(left, int):
            found[name] = (most, left)
    return found


def versions(value: object) -> tuple[str, ...]:
    """The answer of /services/data as version numbers, ascending."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Unreadable("the answer is not a list of versions")
    named = (text(item, "version") for item in value if isinstance(item, dict))
    return tuple(sorted((v for v in named if re.fullmatch(r"\d{2,3}\.\d", v)), key=float))
