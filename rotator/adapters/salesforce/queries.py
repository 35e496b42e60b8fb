"""SOQL and paged collections, read to their end within bounds."""

from __future__ import annotations

from dataclasses import dataclass

from rotator.adapters.http import Answer
from rotator.adapters.salesforce import wire
from rotator.adapters.salesforce.failures import unintelligible
from rotator.adapters.salesforce.ids import last_segment
from rotator.adapters.salesforce.rest import Rest
from rotator.adapters.salesforce.wire import Row
from rotator.domain.errors import ConfigError

PAGES = 200  # of one listing: more is a loop, or nothing that we could end one by one
PAGE_SIZE = 100
OAUTHTOKEN_CAP = 2500  # rows of OauthToken that a query gives in all (reference 4.1)


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, and whether they are all there are."""

    rows: tuple[Row, ...]
    complete: bool = True


def query(rest: Rest, soql: str, what: str, limit: int = 10_000) -> Found:
    """All rows of a query, page by page. Raises as a read does; Refused with http_status 400 for unknown columns."""
    rows: list[Row] = []
    path, params, seen = "/query", {"q": soql}, set[str]()
    for _ in range(PAGES):
        answer = rest.call("GET", path, what, params=params or None)
        page = _object(answer, what)
        try:
            rows += wire.rows(page, "records")
        except wire.Unreadable as error:
            raise unintelligible(what, str(error), answer) from None
        locator = last_segment(page.get("nextRecordsUrl"), "query")
        if page.get("done") is not False or len(rows) >= limit:
            total = page.get("totalSize")
            return Found(tuple(rows), len(rows) < limit and not (isinstance(total, int) and total > len(rows)))
        if not locator or locator in seen:
            return Found(tuple(rows), complete=False)
        seen.add(locator)
        path, params = f"/query/{locator}", {}
    return Found(tuple(rows), complete=False)


def count(rest: Rest, source: str, where: str, what: str) -> int:
    """`SELECT COUNT()`, which the cap on rows does not bound (reference 4.1)."""
    soql = f"SELECT COUNT() FROM {source} WHERE {where}"  # noqa: S608 - built of constants and `quoted`
    answer = rest.call("GET", "/query", what, params={"q": soql})
    total = _object(answer, what).get("totalSize")
    if not isinstance(total, int):
        raise unintelligible(what, "the answer holds no count", answer)
    return total


def pages(rest: Rest, path: str, name: str, what: str) -> Found:
    """All items of a Connect collection. A last page may name a next one, which then is empty (reference 12)."""
    rows: list[Row] = []
    seen: set[str] = set()
    for number in range(PAGES):
        answer = rest.call("GET", path, what, params={"page": str(number), "pageSize": str(PAGE_SIZE)})
        try:
            body = wire.body(answer)
            items = wire.rows(body, name)
        except wire.Unreadable as error:
            raise unintelligible(what, str(error), answer) from None
        if not items:
            return Found(tuple(rows))
        print_of = "".join(sorted(map(repr, items)))
        if print_of in seen:  # the same page again and again
            return Found(tuple(rows), complete=False)
        seen.add(print_of)
        rows += items
        if not wire.more(body):
            return Found(tuple(rows))
    return Found(tuple(rows), complete=False)


def _object(answer: Answer, what: str) -> Row:
    try:
        return wire.as_object(wire.body(answer))
    except wire.Unreadable as error:
        raise unintelligible(what, str(error), answer) from None


def quoted(value: str) -> str:
    """A SOQL text. Raises ConfigError for what no name or id of Salesforce contains."""
    if not value or not all(c.isascii() and (c.isalnum() or c in "_-.@+") for c in value):
        raise ConfigError("a name or id holds characters that Salesforce does not allow there")
    return f"'{value}'"
