"""What a series of looks allows to be said, and what not."""

from __future__ import annotations

import itertools

from rotator.checks.calibrate.series import STEADY, Look, Series, moments


def series(text: str, *, control: bool | None = None) -> Series:
    """One letter a look, ten seconds apart: a(ccepted), r(efused), m(ixed)."""
    counts = {"a": (3, 0), "r": (0, 3), "m": (1, 2)}
    return Series(tuple(Look(10.0 * n, *counts[letter], control) for n, letter in enumerate(text)))


def test_an_answer_that_was_so_from_the_beginning_took_no_time() -> None:
    """No other answer was seen."""
    assert series("aaaaa").delay(True) == 0.0
    assert series("rrrrr").delay(False) == 0.0


def test_the_delay_ends_at_the_first_look_of_the_steady_end() -> None:
    """Seen refused until 20 s, accepted from 30 s on: at most 30 s."""
    assert series("rrraaaa").delay(True) == 30.0


def test_where_servers_disagreed_two_more_looks_count() -> None:
    """A burst may have met only servers that knew already."""
    assert series("rmraaaa").delay(True) == 50.0


def test_a_short_steady_end_says_nothing() -> None:
    """Fewer looks than are asked for."""
    short = series("rrr" + "a" * (STEADY - 1))
    assert (short.settled(True), short.delay(True)) == (False, None)
    assert series("rrr" + "a" * STEADY).settled(True)


def test_a_refusal_without_an_acceptance_beside_it_says_nothing() -> None:
    """The app itself may be shut: then every pair is refused."""
    assert not series("rrrrr", control=False).settled(False)
    assert series("rrrrr", control=True).settled(False)


def test_a_change_is_watched_densely_at_first_and_a_little_beyond_propagation() -> None:
    """Fifteen minutes: looks at least every 30 s, and three behind the end."""
    looks = list(moments(900.0))
    assert looks[:4] == [0.0, 1.0, 2.0, 4.0]
    assert sum(moment > 900 for moment in looks) == 3
    within = [moment for moment in looks if moment <= 900]
    assert max(b - a for a, b in itertools.pairwise(within)) <= 30
    assert list(moments(0.0)) == [0.0]
