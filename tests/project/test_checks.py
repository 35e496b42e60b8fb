"""docs/checks.md tells the checks as the registry has them, and answers every sentence of the prerequisites."""

from __future__ import annotations

import hashlib
import re

from rotator.checks.registry import EVERY
from tests.project import checks

COUNT = 42  # sentences of "Configure a Connected App for the OAuth 2.0 Client Credentials Flow", as read 2026-11-24
DIGEST = "d1ce078aaed05f26"


def test_the_table_of_checks_is_what_the_registry_says() -> None:
    """One line per row, in its order. To mend: `python -m tests.project.checks`."""
    _, lines, _ = checks.split(checks.PAGE.read_text())
    assert lines == checks.table()


def test_every_row_has_an_id_of_its_own_a_docstring_and_a_level() -> None:
    """No row says nothing: each can fail or warn, and tells what it looks at."""
    assert len({row.id for row in EVERY}) == len(EVERY)
    assert [row.id for row in EVERY if not re.fullmatch(r"[A-Z]{2,3}-\d+", row.id)] == []
    assert [row.id for row in EVERY if not row.looks_at or not (row.fails or row.warns)] == []


def test_every_sentence_of_the_prerequisites_is_answered() -> None:
    """Each sentence of Salesforce's page names checks that exist, or says why there is none; and none was dropped: the
    sentences are those that were read on that day, by number and digest."""
    told = checks.sentences(checks.PAGE.read_text())
    known = {row.id for row in EVERY}
    assert [sentence for sentence, answer in told if not answered(answer, known)] == []
    digest = hashlib.sha256("\n".join(sentence for sentence, _ in told).encode()).hexdigest()[:16]
    assert (len(told), digest) == (COUNT, DIGEST)


def test_an_answer_names_checks_that_exist_or_gives_a_reason() -> None:
    """What the test above takes for an answer, and what not."""
    known = {"APP-1"}
    given = ("APP-1", "APP-1: for a reason", "no check: nobody needs it here", "APP-99", "none", "no check: ", "")
    assert [answered(one, known) for one in given] == [True, True, True, False, False, False, False]


def answered(answer: str, known: set[str]) -> bool:
    """Names only checks that are known, or gives a reason in words."""
    named = set(re.findall(r"[A-Z]{2,3}-\d+", answer))
    return named <= known and (bool(named) or (answer.startswith("no check: ") and len(answer) > 15))
