"""SOQL and paged collections, read to their end within bounds."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from rotator.adapters.http import Answer
from rotator.adapters.salesforce import wire
from rotator.adapters.salesforce.failures import unintelligible
from rotator.adapters.salesforce.ids import last_segment
from rotator.adapters.salesforce.rest import Rest
from rotator.adapters.salesforce.wire import Row
from rotator.domain.errors import ConfigError

Rows = Generator[Row, None, bool]  # gives in the end whether these were all

PAGES = 200  # of one listing: more is a loop, or nothing that we could end one by one
PAGE_SIZE = 100
OAUTHTOKEN_CAP = 2500  # rows of OauthToken that a query gives in all (reference 4.1)


@dataclass(frozen=True, slots=True)
class Found:
    """Rows, and whether they are all there are."""

    rows: tuple[Row, ...]
    complete: bool = True


class Walk:
    """Rows that are read as they are asked for. `complete` is known when they have come to their end."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.complete = False

    def __iter__(self) -> Iterator[Row]:
        self.complete = yield from self._rows


def query(rest: Rest, soql: str, what: str, limit: int = 10_000) -> Found:
    """All rows of a query, up to the limit. Raises as `walk`."""
    return _found(walk(rest, soql, what), limit)


def walk(rest: Rest, soql: str, what: str, pages: int = PAGES) -> Rows:
    """The rows of a query, page by page. Raises as a read does; Refused with http_status 400 for unknown columns."""
    path, params, seen, count = "/query", {"q": soql}, set[str](), 0
    for _ in range(pages):
        answer = rest.call("GET", path, what, params=params or None)
        page = _object(answer, what)
        try:
            rows = wire.rows(page, "records")
        except wire.Unreadable as error:
            raise unintelligible(what, str(error), answer) from None
        count += len(rows)
        yield from rows
        locator = last_segment(page.get("nextRecordsUrl"), "query")
        if page.get("done") is not False:
            total = page.get("totalSize")
            return not (isinstance(total, int) and total > count)
        if not locator or locator in seen:
            return False
        seen.add(locator)
        path, params = f"/query/{locator}", {}
    return False


def count(rest: Rest, source: str, where: str, what: str) -> int:
    """`SELECT COUNT()`, which the cap on rows does not bound (reference 4.1)."""
    soql = f"SELECT COUNT() FROM {source} WHERE {where}"  # noqa: S608 - built of constants and `quoted`
    answer = rest.call("GET", "/query", what, params={"q": soql})
    total = _object(answer, what).get("totalSize")
    if not isinstance(total, int):
        raise unintelligible(what, "the answer holds no count", answer)
    return total


def pages(rest: Rest, path: str, name: str, what: str) -> Found:
    """All items of a Connect collection. Raises as `listed`."""
    return _found(listed(rest, path, name, what))


def listed(rest: Rest, path: str, name: str, what: str, most: int = PAGES) -> Rows:
    """The items of a Connect collection, a page at a time. A last page may name a next one, which then is empty
    (reference 12). Raises as a read does."""
    seen: set[int] = set()
    for number in range(most):
        answer = rest.call("GET", path, what, params={"page": str(number), "pageSize": str(PAGE_SIZE)})
        try:
            body = wire.body(answer)
            items = wire.rows(body, name)
        except wire.Unreadable as error:
            raise unintelligible(what, str(error), answer) from None
        if not items:
            return True
        print_of = hash("".join(sorted(map(repr, items))))
        if print_of in seen:  # the same page again and again
            return False
        seen.add(print_of)
        yield from items
        if not wire.more(body):
            return True
    return False


def _found(rows: Rows, limit: float = float("inf")) -> Found:
    """All at once; not complete where the limit was reached."""
    told: list[Row] = []
    while len(told) < limit:
        try:
            told.append(next(rows))
        except StopIteration as end:
            return Found(tuple(told), bool(end.value))
    return Found(tuple(told), complete=False)


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
