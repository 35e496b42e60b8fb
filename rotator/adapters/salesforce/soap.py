"""The four messages of the Metadata API that the switch needs, written by hand, and their answers read (reference 5.4).

The token stands in the envelope: a Bearer header alone does not authenticate SOAP.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring, iterparse

from rotator.adapters.http import Answer
from rotator.adapters.salesforce.wire import Unreadable
from rotator.domain.secret import Secret

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

METADATA = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
HEADERS = {"content-type": "text/xml; charset=UTF-8", "soapaction": '""', "accept": "text/xml"}

DEEPEST = 4  # parts within parts of a settings component

Fields = tuple[tuple[str, str], ...]  # of a component, in the order in which the org wrote them


def envelope(token: Secret, message: str) -> bytes:
    """The whole request."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="{XSI}">'
        f'<soapenv:Header><SessionHeader xmlns="{METADATA}"><sessionId>{escape(token.reveal())}</sessionId>'
        f'</SessionHeader></soapenv:Header><soapenv:Body xmlns="{METADATA}">{message}</soapenv:Body></soapenv:Envelope>'
    ).encode()


def list_message(kind: str, version: str) -> str:
    """listMetadata of one type."""
    return (f"<listMetadata><queries><type>{escape(kind)}</type></queries><asOfVersion>{escape(version)}</asOfVersion>"
            "</listMetadata>")  # fmt: skip


def read_message(kind: str, names: Sequence[str]) -> str:
    """readMetadata of components by name: at most ten."""
    named = "".join(f"<fullNames>{escape(name)}</fullNames>" for name in names)
    return f"<readMetadata><type>{escape(kind)}</type>{named}</readMetadata>"


def update_message(kind: str, fields: Fields) -> str:
    """updateMetadata of one whole component, its fields in the order in which they were read: an element out of order
    is dropped without a word (reference 5.3)."""
    told = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields)
    return f"<updateMetadata><metadata xsi:type={quoteattr(kind)}>{told}</metadata></updateMetadata>"


def names(answer: Answer) -> tuple[str, ...]:
    """The full names that a listMetadata gave. Raises Unreadable."""
    return tuple(name for name, _ in listed(answer))


def listed(answer: Answer) -> Sequence[tuple[str, str]]:
    """Full name and namespace of each component that a listMetadata gave, of which there may be tens of thousands: no
    tree of the answer is built. Raises Unreadable."""
    found: list[tuple[str, str]] = []
    response = False
    try:
        for _, part in iterparse(BytesIO(answer.body), forbid_dtd=True):
            response = response or _local(part) == "listMetadataResponse"
            if _local(part) == "result":
                found.append((_child(part, "fullName"), _child(part, "namespacePrefix")))
                part.clear()
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise Unreadable("the answer is not plain XML") from None
    if not response:
        raise Unreadable("the answer is no listMetadataResponse")
    return [(name, namespace) for name, namespace in found if name]


def components(answer: Answer) -> tuple[Fields, ...]:
    """What a readMetadata gave: flat fields; a component that is not there is left out. Raises Unreadable where one
    holds more than flat fields: it could not be written back whole."""
    results = list(_results(answer, "readMetadataResponse"))
    return tuple(_flat(part) for result in results for part in result if _local(part) == "records" and len(part))


def settings(answer: Answer) -> Mapping[str, str]:
    """The one component of a readMetadata that is only looked at: parts within parts by dotted names; empty where there
    is none. Raises Unreadable."""
    records = (part for result in _results(answer, "readMetadataResponse") for part in result)
    return dict(_dotted(next(records, None), ""))


def _dotted(part: Element | None, before: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    for one in part if part is not None and depth < DEEPEST else ():
        name = before + _local(one)
        yield from _dotted(one, name + ".", depth + 1) if len(one) else ((name, one.text or ""),)


def saved(answer: Answer) -> Mapping[str, str] | None:
    """What was wrong with the one component of an updateMetadata; None where it was saved. Raises Unreadable."""
    results = list(_results(answer, "updateMetadataResponse"))
    if len(results) != 1:
        raise Unreadable(f"the answer holds {len(results)} results for one component")
    said = _child(results[0], "success")
    if said == "true":
        return None
    if said != "false":
        raise Unreadable("the answer does not say whether it was saved")
    error = next((part for part in results[0] if _local(part) == "errors"), None)
    told = {"errorCode": "statusCode", "message": "message"}
    return {ours: _child(error, theirs) if error is not None else "" for ours, theirs in told.items()}


def _results(answer: Answer, name: str) -> Iterator[Element]:
    """The `result` elements of the response of this name."""
    try:
        root: Element = fromstring(answer.body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise Unreadable("the answer is not plain XML") from None
    body = next((part for part in root if _local(part) == "Body"), None)
    response = next(iter(body), None) if body is not None else None
    if response is None or _local(response) != name:
        raise Unreadable(f"the answer is no {name}")
    return (part for part in response if _local(part) == "result")


def _flat(record: Element) -> Fields:
    if any(len(part) for part in record):
        raise Unreadable("the component has parts within parts")
    return tuple((_local(part), part.text or "") for part in record)


def _local(part: Element) -> str:
    return str(part.tag).rpartition("}")[2]


def _child(part: Element, name: str) -> str:
    return next((one.text or "" for one in part if _local(one) == name), "")
