"""The one table from what Salesforce says to our errors: by status, then by words of code and description.

Reference sections 1, 6.7, 7 and 8. Messages are our own words; of the far side's only its status and a code made of
letters and underscores are repeated, and that only where it is no part of a secret we sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from rotator.adapters.http import Answer, NotSent, TransportError
from rotator.adapters.salesforce.rows import REST, SOAP, STAGE, TOKEN, Kind, Row
from rotator.domain.errors import (
    NotFound,
    OutcomeUnknown,
    Refused,
    RotatorError,
    SlotTaken,
    Unavailable,
    Unintelligible,
)
from rotator.domain.secret import Secret

__all__ = ["REST", "SOAP", "STAGE", "TOKEN"]

LONGEST_WAIT = 86400.0  # seconds: a Retry-After beyond a day is not believed
_CODE = re.compile(r"[A-Z][A-Z_]{2,39}|[a-z][a-z_]{2,39}")
_FAULT = re.compile(r"<faultcode[^<>]{0,200}>(?:\w+:)?(\w+)</faultcode>\s*<faultstring[^<>]{0,200}>([^<]*)<")
_REQUEST_IDS = ("x-sfdc-request-id", "x-request-id", "x-sfdc-requestid")


class Act(Enum):
    """What a call may have done when its answer is unclear."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Said:
    """What an error answer says: its code, and code and description in lower case for matching."""

    code: str
    words: str


def said(answer: Answer) -> Said:
    """Reads an array, an object, a SOAP fault or plain text; fields may be absent (reference 12: errors)."""
    try:
        body = answer.json()
    except ValueError:
        text = answer.body[:2000].decode("utf-8", "replace")
        fault = _FAULT.search(text)
        return Said(fault[1] if fault else "", (f"{fault[1]} {fault[2]}" if fault else text).lower())
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, Mapping):
        return Said("", "")
    code, text = (
        next((value for name in names if isinstance(value := first.get(name), str)), "")
        for names in (("errorCode", "error"), ("message", "error_description"))
    )
    return Said(code[:200], f"{code[:200]} {text[:2000]}".lower().replace("\u2019", "'"))


def find(answer: Answer, table: Iterable[Row]) -> Row:
    """The first row that fits; the tables end with a row for anything."""
    words = said(answer).words
    for row in table:
        if row.low <= answer.status <= row.high and (not row.words or any(word in words for word in row.words)):
            return row
    raise AssertionError("a table must end with a row for every status")


def from_answer(
    answer: Answer, what: str, table: Iterable[Row], *, act: Act = Act.READ, secrets: Iterable[Secret] = ()
) -> RotatorError:
    """The error for an answer that is not a success. `what` names the call in our words."""
    row = find(answer, table)
    code = shown_code(said(answer).code, secrets)
    message = f"{what}: {row.message} (HTTP {answer.status}{' ' + code if code else ''})"
    status, request = answer.status, request_id(answer)
    if act is Act.WRITE and row.kind in (Kind.DOWN, Kind.ODD, Kind.REDIRECT):
        return OutcomeUnknown(f"{message}; it may have been done", http_status=status, request_id=request)
    if row.kind in (Kind.BUSY, Kind.DOWN):
        wait = retry_after(answer)
        return Unavailable(
            message, fix=row.fix, code=row.code, http_status=status, request_id=request, retry_after=wait
        )
    kinds = {Kind.NOT_FOUND: NotFound, Kind.SLOT_TAKEN: SlotTaken, Kind.ODD: Unintelligible}
    make = kinds.get(row.kind, Refused)
    return make(message, fix=row.fix, code=row.code, http_status=status, request_id=request)


def from_transport(error: TransportError, what: str, *, act: Act = Act.READ) -> RotatorError:
    """The error for a call without a whole answer."""
    message = f"{what}: {error.message}"
    if isinstance(error, NotSent):
        return Unavailable(message, fix=_CONNECT_FIXES.get(error.reason, ""))
    if act is Act.WRITE:
        return OutcomeUnknown(f"{message}; it may have been done")
    if error.reason in ("too_large", "encoded"):
        return Unintelligible(message, code=error.reason, fix="see what stands between the rotator and the org")
    return Unavailable(message)


_CONNECT_FIXES = {
    "tls": "check the host's certificate; name your own authority with `ca_file` in the org's table",
    "proxy": "check `egress_proxy` in the org's table, and what the proxy allows",
    "connect": "check `host` in the org's table, name look-up, firewall and `egress_proxy`; the rotator tries again",
}


def unintelligible(what: str, why: str, answer: Answer, *, act: Act = Act.READ) -> RotatorError:
    """For a success that lacks what it must hold."""
    make = OutcomeUnknown if act is Act.WRITE else Unintelligible
    return make(f"{what}: {why} (HTTP {answer.status})", http_status=answer.status, request_id=request_id(answer))


def shown_code(code: str, secrets: Iterable[Secret] = ()) -> str:
    """The far side's code if it may be repeated, else nothing."""
    if not _CODE.fullmatch(code):
        return ""
    lowered = code.lower()
    return "" if any(lowered in s.reveal().lower() or s.reveal().lower() in lowered for s in secrets if s) else code


def request_id(answer: Answer) -> str | None:
    """The id that the far side gave the call (`X-SFDC-Request-Id`), cleaned; None if it gave none."""
    raw = next((answer.headers[name] for name in _REQUEST_IDS if name in answer.headers), "")
    return re.sub(r"[^A-Za-z0-9._-]", "", raw)[:64] or None


def retry_after(answer: Answer) -> float | None:
    """Seconds of `Retry-After`, given as a number or as a date; None where absent or not understood."""
    raw = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", raw):
        return min(float(raw), LONGEST_WAIT)
    until, now = http_date(raw), http_date(answer.headers.get("date", ""))
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT) if until and now else None


def http_date(text: str) -> datetime | None:
    """A `Date` header as a time in UTC; None where absent or not understood."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
