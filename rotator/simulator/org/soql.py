"""A subset of SOQL: SELECT, COUNT(), WHERE with AND, OR, NOT and IN, GROUP BY, ORDER BY, LIMIT, OFFSET. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]
Test = Callable[[Row], bool]
WORDS = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<time>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|<>|[=<>(),]))"
)


class SoqlError(Exception):
    """A query this org refuses: errorCode and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Moment(float):
    """A date-time field, in seconds since the epoch."""


@dataclass
class Query:
    """A parsed query."""

    fields: list[str]
    source: str
    test: Test = field(default=lambda row: True)
    used: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0

    @property
    def counts(self) -> bool:
        """Whether this is `SELECT COUNT() FROM ...`."""
        return self.fields == ["COUNT()"]


def parse(text: str) -> Query:
    """The query as values; SoqlError MALFORMED_QUERY."""
    return _Parser(text).query()


class _Parser:
    """Recursive descent over the words of one query."""

    def __init__(self, text: str) -> None:
        self.words: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = WORDS.match(text, at)
            if not match:
                raise SoqlError("MALFORMED_QUERY", f"unexpected token: {text[at : at + 20]!r}")
            self.words.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self.at = 0
        self.used: list[str] = []

    def peek(self) -> str:
        return self.words[self.at][1].upper() if self.at < len(self.words) else ""

    def take(self, *expected: str) -> str:
        if self.at >= len(self.words) or (expected and self.peek() not in expected):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {self.peek() or '<EOF>'}")
        self.at += 1
        return self.words[self.at - 1][1]

    def skip(self, *words: str) -> bool:
        found = [word for _, word in self.words[self.at : self.at + len(words)]]
        if [word.upper() for word in found] != list(words):
            return False
        self.at += len(words)
        return True

    def query(self) -> Query:
        self.take("SELECT")
        fields = self.listed(self.column)
        self.take("FROM")
        query = Query(fields, self.take())
        if self.skip("WHERE"):
            query.test = self.either()
        if self.skip("GROUP", "BY"):
            query.group = self.listed(self.take)
        if self.skip("ORDER", "BY"):
            query.order = self.listed(self.ordering)
        if self.skip("LIMIT"):
            query.limit = self.whole_number()
        if self.skip("OFFSET"):
            query.offset = self.whole_number()
        if self.at < len(self.words):
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {self.peek()}")
        query.used = self.used
        return query

    def whole_number(self) -> int:
        word = self.take()
        if not word.isdigit():
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {word}")
        return int(word)

    def listed(self, item: Callable[[], Any]) -> list[Any]:
        items = [item()]
        while self.skip(","):
            items.append(item())
        return items

    def column(self) -> str:
        name = self.take()
        if self.skip("("):
            inner = "" if self.peek() == ")" else self.take()
            self.take(")")
            return f"{name.upper()}({inner})"
        return name

    def ordering(self) -> tuple[str, bool]:
        name = self.take()
        down = self.skip("DESC") or (self.skip("ASC") and False)
        if self.skip("NULLS"):
            self.take("FIRST", "LAST")
        return name, down

    def either(self) -> Test:
        tests = [self.both()]
        while self.skip("OR"):
            tests.append(self.both())
        return lambda row: any(test(row) for test in tests)

    def both(self) -> Test:
        tests = [self.single()]
        while self.skip("AND"):
            tests.append(self.single())
        return lambda row: all(test(row) for test in tests)

    def single(self) -> Test:
        if self.skip("NOT"):
            inner = self.single()
            return lambda row: not inner(row)
        if self.skip("("):
            inner = self.either()
            self.take(")")
            return inner
        return self.comparison()

    def comparison(self) -> Test:
        name = self.take()
        self.used.append(name)
        turned = self.skip("NOT")
        sign = self.take("=", "!=", "<>", "<", ">", "<=", ">=", "LIKE", "IN").upper()
        if sign == "IN":
            self.take("(")
            values = self.listed(self.literal)
            self.take(")")
            return lambda row: any(same(value_of(row, name), v) for v in values) != turned
        wanted = self.literal()
        return lambda row: compare(sign, value_of(row, name), wanted)

    def literal(self) -> object:
        kind, word = self.words[self.at] if self.at < len(self.words) else ("", "")
        self.at += 1
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", word[1:-1])
        if kind == "time":
            return Moment(datetime.fromisoformat(word if "T" in word else word + "T00:00:00+00:00").timestamp())
        if kind == "number":
            return float(word)
        known = {"true": True, "false": False, "null": None}
        if word.lower() not in known:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: {word or '<EOF>'}")
        return known[word.lower()]


def value_of(row: Row, name: str) -> object:
    """A field of a row, through its relationships, whatever the case of the name."""
    found: Any = row
    for part in name.split("."):
        found = next((v for k, v in found.items() if k.lower() == part.lower()), None) if found else None
    return found


def same(left: object, right: object) -> bool:
    """SOQL's equality: text ignores case; ids of 15 and 18 characters are equal by their first 15."""
    if isinstance(left, str) and isinstance(right, str):
        ids = {len(left), len(right)} == {15, 18}
        return left[:15] == right[:15] if ids else left.lower() == right.lower()
    return left == right


def compare(sign: str, left: Any, right: Any) -> bool:
    """One comparison; null is less than nothing and equal only to null."""
    if sign in ("=", "!=", "<>"):
        return same(left, right) == (sign == "=")
    if left is None or right is None or isinstance(left, str) != isinstance(right, str):
        return False
    if sign == "LIKE":
        pattern = re.escape(str(right)).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, left, re.IGNORECASE | re.DOTALL) is not None
    return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[sign])


def select(query: Query, rows: list[Row]) -> list[Row]:
    """The rows of the source that fit, ordered, cut; grouped ones as field values with `expr0`."""
    found = [row for row in rows if query.test(row)]
    if query.group:
        found = grouped(query, found)
    for name, down in reversed(query.order):
        found.sort(key=lambda row: (value_of(row, name) is not None, value_of(row, name)), reverse=down)
    end = None if query.limit is None else query.offset + query.limit
    return found[query.offset : end]


def grouped(query: Query, rows: list[Row]) -> list[Row]:
    """GROUP BY with COUNT(...) and MAX(...) columns, which have no names of their own."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(value_of(row, name) for name in query.group), []).append(row)
    result = []
    for key, members in groups.items():
        named: Row = dict(zip((name.split(".")[-1] for name in query.group), key, strict=True))
        columns = (column for column in query.fields if "(" in column)
        result.append(named | {f"expr{n}": aggregate(column, members) for n, column in enumerate(columns)})
    return result


def aggregate(column: str, rows: list[Row]) -> Any:
    """COUNT(...) of the rows, or the MAX(...) of a field."""
    if not column.startswith("MAX("):
        return len(rows)
    values: list[Any] = [value_of(row, column[4:-1]) for row in rows]
    return max((value for value in values if value is not None), default=None)
