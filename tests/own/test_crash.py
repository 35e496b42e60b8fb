"""A death at each remote call of a rotation of the rotator's own pairs: at every moment both identities log in."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.domain.words import State
from tests.acceptance.scene import Door
from tests.own.place import TwoIdentities

CALLS = range(1, 130)  # an undisturbed rotation makes fewer: a test says so
SAMPLE = {"acme/admin": (14, 23, 33), "acme/spare": (19, 27, 41)}


def survived(place: TwoIdentities, app: str, n: int, *, before: bool) -> bool:
    """A death, then another start: done, proven, and no reader of either own path was ever refused. Whether it died."""
    died = place.killed_at(app, n, before=before)
    row = place.finished(app)
    assert (row.state, row.reason) == (State.DONE, ""), (app, n, before, row.message)
    place.settle()
    for name in ("rotator", "spare"):
        truth = place.truth(name)
        assert place.served(name) == truth["primary"]["key"], (app, n, before)
        assert truth["primary"]["accepted"]
        assert truth["slot"] == []
    return died


@pytest.mark.parametrize("app", SAMPLE)
def test_a_death_at_any_remote_call_locks_nobody_out(door: Door, tmp_path: Path, app: str) -> None:
    """A sample, before and after the effect in turn."""
    for turn, n in enumerate(SAMPLE[app]):
        folder = tmp_path / str(n)
        folder.mkdir()
        assert survived(TwoIdentities(door, folder), app, n, before=bool(turn % 2)), n


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("app", SAMPLE)
def test_every_remote_call_of_it(door: Door, tmp_path: Path, app: str, before: bool) -> None:
    """Until one is not reached any more, which must come."""
    for n in CALLS:
        folder = tmp_path / str(n)
        folder.mkdir()
        if not survived(TwoIdentities(door, folder), app, n, before=before):
            assert n > 40, "a whole rotation makes more calls"
            return
    pytest.fail("a rotation makes more calls than were tried")
