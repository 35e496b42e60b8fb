"""The log lets listed names and plain values through, and nothing else."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.domain.secret import MASK, Secret
from rotator.domain.words import State
from rotator.log import Word, get, set_up
from rotator.log_words import FIELDS, LIST_CAP, TEXT_CAP, plain
from tests.canary.silence import assert_silent
from tests.unit.log.lines import SECRET, Log, untyped

SHAPES = {
    "consumer secret": SECRET,
    "session id": "00D5g00000KqXyz!AQEAQPm7Jt3xWv_8hZb2Ks.LdQy6Rf0NcGu1TeYo4IaVj9DwXn5MpSlEzHrBkUq",
    "vault token": "hvs.CAESIPx7Kq2mWv9Lr4TzYb8Nc3HdJf6GsUe1QaXo5RiMk0ZtGh4KHGh2cy5BbDlFc1V",
    "old vault token": "s.Kq2mWv9Lr4TzYb8Nc3HdJf6G",
    "jwt": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhYmNkZWZnaGkifQ.c2lnbmF0dXJlc2lnbmF0dXJl",
    "bearer": "Bearer kX93hd-72hs_Jd82hsK2.hs8",
    "basic": "basic a1g5M2hkLTcyaHM6SmQ4Mmhz",
    "password in a URL": "rotator:kX93hd72hsJd82hs",
}


def test_a_line_tells_when_what_and_its_fields(log: Log) -> None:
    """Time in UTC, level, logger, event, then the fields in their order."""
    get("saga").info(Word.STEP, app="billing", step="stage", duration_ms=212)
    assert list(log.last) == ["ts", "level", "logger", "event", "app", "step", "duration_ms"]
    assert datetime.fromisoformat(log.last["ts"]).tzinfo == UTC
    assert [log.last[n] for n in ("level", "logger", "event", "duration_ms")] == ["info", "saga", "step", 212]


def test_unlisted_fields_are_dropped_and_counted(log: Log) -> None:
    """A name that is not on the list never gets in; how many were dropped is told, their names are not."""
    untyped(get("saga").info, Word.STEP, app="billing", client_secret=SECRET, headers={"a": SECRET})
    assert log.last["app"] == "billing"
    assert log.last["dropped"] == 2
    assert "client_secret" not in log.text
    assert_silent({"log": log.text}, {"secret": SECRET})


def test_an_event_that_is_no_word_is_replaced(log: Log) -> None:
    """Events come from the list as well: a sentence built at the call cannot carry anything."""
    untyped(get("saga").info, f"login with {SECRET}")
    assert log.last["event"] == "unnamed"
    assert_silent({"log": log.text}, {"secret": SECRET})


def test_no_field_is_made_for_secrets() -> None:
    """The list holds no name under which one would expect a secret, a header or a body."""
    assert not [f for f in FIELDS if any(w in f for w in ("secret", "token", "password", "header", "body", "url"))]


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_secret_is_masked_in_every_field(log: Log, name: str) -> None:
    """A Secret, alone or in a list, becomes its mask."""
    for value in (Secret(SECRET), [Secret(SECRET)]):
        untyped(get("saga").info, Word.STEP, **{name: value})
        assert MASK in str(log.last[name])
    assert_silent({"log": log.text}, {"secret": SECRET})


class Hostile(str):
    """A text whose own methods must not run."""

    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("a foreign method was run")

    __repr__ = __format__ = __str__  # type: ignore[assignment]


class Thing:
    def __repr__(self) -> str:
        return SECRET


class Colour(Enum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1 << 70, "<int>"),
        (0.1234567891, 0.123457),
        (float("nan"), "<float>"),
        (State.HELD, "held"),
        (Colour.RED, 3),
        (Hostile("text"), "text"),
        (Path("/etc/rotator"), "/etc/rotator"),
        (datetime(2026, 11, 24, 8, tzinfo=UTC), "2026-11-24T08:00:00+00:00"),
        (timedelta(minutes=1), 60.0),
        (("a", 1), ["a", 1]),
        ([["deep"]], ["<list>"]),
        ({"a": SECRET}, "<dict>"),
        (b"bytes", "<bytes>"),
        (Thing(), "<Thing>"),
        (ValueError(SECRET), "<ValueError>"),
    ],
)
def test_values_become_plain(value: object, seen: object) -> None:
    """Plain values stay, times become text, and of an object only the name of its type is left."""
    assert plain(value) == seen


def test_long_values_are_capped() -> None:
    """A hostile name of a gigabyte or a list without end cannot fill the disk."""
    assert plain("x" * 10_000_000) == "x" * TEXT_CAP + "..."
    assert len(cast("list[object]", plain(list(range(10_000))))) == LIST_CAP


@given(st.text(), st.lists(st.text() | st.floats() | st.integers()))
def test_any_value_gives_one_printable_line(text: str, items: list[object]) -> None:
    """No text breaks the line, moves the cursor or turns the writing: JSON for programs, one line for people."""
    for terminal in (False, True):
        stream = io.StringIO()
        stream.isatty = lambda answer=terminal: answer  # type: ignore[method-assign, misc]
        with set_up(env={}, stderr=stream):
            get("t").info(Word.STEP, message=text, reason=items)
        line = stream.getvalue().removesuffix("\n")
        assert line.isprintable()
        assert terminal or json.loads(line)["event"] == "step"


@pytest.mark.parametrize("shape", SHAPES)
def test_what_looks_like_a_secret_is_masked_in_any_text(log: Log, shape: str) -> None:
    """The last net: text that was built by mistake, in a field that is allowed. What stands around it is kept."""
    get("saga").info(Word.STEP, message=f"tried https://{SHAPES[shape]}@db and failed", reason=f"x {SHAPES[shape]}")
    assert log.last["message"] == f"tried https://{MASK}@db and failed"
    assert shape == "password in a URL" or log.last["reason"] == f"x {MASK}"


@pytest.mark.parametrize(
    "harmless",
    [
        "0f3c9a5e7d1b2846aa55cc77ee991122334455667788990011223344556677ff",  # a digest
        "3MVG9abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",  # a consumer key is public
        "https://acme.my.salesforce.com/services/oauth2/token",
        "secret/data/salesforce/acme/billing",
        "0198c5a4-7d1b-7c3f-9a5e-0f3c9a5e7d1b",
    ],
)
def test_what_is_public_is_not_masked(harmless: str) -> None:
    """Ids, digests, paths and addresses stay readable."""
    assert plain(harmless) == harmless
