"""What a person hands over: refused before anything is done with it where it cannot be a new pair."""

from __future__ import annotations

import pytest

from rotator.domain.errors import UsageError
from rotator.domain.handed import must_be_a_pair, typed

KEY, SECRET = "3MVG9" + "a" * 80, "0123456789ABCDEF" * 4


@pytest.mark.parametrize(
    ("key", "secret", "words"),
    [
        (SECRET, KEY, "swapped"), (KEY, KEY, "swapped|same"), (SECRET, SECRET, "same"), (KEY, "old-key-1", "swapped"),
        (KEY, "short", "5 characters"), ("", SECRET, "0 characters"), (KEY, "x" * 257, "257 characters"),
        (KEY, SECRET[:30] + " " + SECRET[30:], "blank"), (KEY, SECRET + "\N{SNOWMAN}", "does not use"),
        (KEY[:20] + "\x1b" + KEY[20:], SECRET, "does not use"),
    ],
)  # fmt: skip
def test_what_can_be_no_pair_is_refused_without_repeating_it(key: str, secret: str, words: str) -> None:
    """Swapped, the same twice, a known key as the secret, wrong lengths, blanks and characters."""
    with pytest.raises(UsageError, match=words) as told:
        must_be_a_pair(typed(key, secret), ("old-key-1",))
    assert not any(text and text in told.value.message + told.value.fix for text in (key, secret))


def test_blanks_around_a_pasted_pair_are_taken_away() -> None:
    """As a paste from a browser leaves them (reference section 1: trim stored values)."""
    pair = typed(f" {KEY}\n", f"\t{SECRET} ")
    must_be_a_pair(pair, ())
    assert pair.key == KEY
    assert pair.secret is not None
    assert pair.secret.reveal() == SECRET
