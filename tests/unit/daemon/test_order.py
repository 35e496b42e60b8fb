"""The order in which a daemon begins what is due."""

from __future__ import annotations

from rotator.daemon.office import shuffled

APPS = [f"app{number}" for number in range(200)]


def test_two_daemons_begin_with_different_apps() -> None:
    """Each has all of them, always in the same order; among the first twenty of each are few of the other's."""
    one, two = shuffled(APPS, "alpha:1"), shuffled(APPS, "beta:2")
    assert one == shuffled(reversed(APPS), "alpha:1")
    assert sorted(one) == sorted(two) == sorted(APPS)
    assert len(set(one[:20]) & set(two[:20])) < 10
