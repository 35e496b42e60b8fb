"""A calibration that is killed or stopped half-way: the next one clears away what it left, and finds the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count, takewhile
from typing import Any, cast

import pytest

from rotator.checks.calibrate.lab import Lab, Org
from rotator.domain.errors import Stale, Unavailable
from rotator.domain.event import Event
from tests.calibrate.test_worlds import left
from tests.calibrate.worlds import Bench, bench, wrong

FACTS = {"new_pair_propagation": "20s", "tokens_die_with_pair": "yes", "stage_while_blocked": "yes"}


class Killed(BaseException):
    """The process is gone: nothing of it does anything any more."""


class Mortal:
    """The port, until the n-th change; `effect`: that change still reaches the org."""

    CHANGES = ("stage", "promote", "delete", "end", "set_blocked")

    def __init__(self, org: object, at: int = 0, *, effect: bool = False) -> None:
        self._org, self._at, self._effect, self._count = org, at, effect, count(1)
        self.dead = self.gone = False
        self.late: list[str] = []  # changes behind the loss of the lease

    def __getattr__(self, name: str) -> Any:
        if self.dead:
            raise Killed
        found = getattr(self._org, name)
        if self.gone and name in self.CHANGES:
            self.late.append(name)
        return self._dying(found) if name in self.CHANGES else found

    def _dying(self, call: Any) -> Any:
        def made(*arguments: object) -> Any:
            if next(self._count) != self._at:
                return call(*arguments)
            if self._effect:
                call(*arguments)
            self.dead = True
            raise Killed

        return made


def at_a_change(one: Bench, change: int, *, effect: bool) -> Lab:
    """A calibration that this change kills, before it reaches the org or behind it."""
    lab = one.lab()
    lab.org = cast("Org", Mortal(lab.org, change, effect=effect))
    return lab


def behind_a_row(one: Bench, row: int) -> Lab:
    """A calibration that is killed as soon as this row of the trail is written."""
    lab = one.lab()
    mortal, write, rows = Mortal(lab.org), lab.record, count(1)

    def record(event: Event) -> None:
        write(event)
        if next(rows) == row:
            mortal.dead = True
            raise Killed

    lab.org, lab.record = cast("Org", mortal), record
    return lab


def survived(doom: Callable[[Bench], Lab]) -> bool:
    """Killed so, the next calibration finds everything and leaves nothing. False where it ended unkilled."""
    with bench(7, facts=FACTS) as one:
        try:
            one.run(doom(one))
        except Killed:
            pass
        else:
            return False
        assert wrong(one, one.run()) == {}
        assert left(one) == {"slot": 0, "tokens": 0, "blocked": False}
    return True


@pytest.mark.parametrize("doom", [partial(at_a_change, change=1, effect=True), partial(behind_a_row, row=3)])
def test_killed_behind_a_change_the_next_calibration_is_whole(doom: Callable[[Bench], Lab]) -> None:
    """The pair of a POST that nobody heard the answer of, or that just one row tells of, is cleared away as ours."""
    assert survived(doom)


@pytest.mark.exhaustive
@pytest.mark.parametrize("effect", [True, False])
def test_killed_around_every_third_change_the_next_calibration_is_whole(effect: bool) -> None:
    """Before the change reached the org, or behind it; at promote and block, too."""
    dooms = (partial(at_a_change, change=at, effect=effect) for at in count(1, 3))
    assert sum(1 for _ in takewhile(survived, dooms)) > 15


@pytest.mark.exhaustive
def test_killed_behind_every_row_of_the_trail_the_next_calibration_is_whole() -> None:
    """Whatever stands written, and nothing behind it."""
    dooms = (partial(behind_a_row, row=at) for at in count(1))
    assert sum(1 for _ in takewhile(survived, dooms)) > 30


def test_told_to_stop_it_cleans_up_before_it_goes() -> None:
    """A stop ends it with exit 75, and nothing is left: neither pair nor token."""
    with bench(7, facts=FACTS) as one:
        lab: Lab = one.lab()
        one_look_later = count(1)
        lab.stopped = lambda: next(one_look_later) > 60
        with pytest.raises(Unavailable) as stopped:
            one.run(lab)
        assert (stopped.value.code, stopped.value.exit_code) == ("stopped", 75)
        assert left(one) == {"slot": 0, "tokens": 0, "blocked": False}


@pytest.mark.parametrize("changes", [2, 5])
def test_a_lost_lease_ends_it_without_another_change(changes: int) -> None:
    """Another worker has the consumer, a force perhaps: it is noticed before the next change, and not even the clean-up
    touches it any more."""
    with bench(7, facts=FACTS) as one:
        lab, kept = one.lab(), count(1)
        mortal = Mortal(lab.org)

        def keep(at_once: bool) -> None:
            if mortal.gone or (at_once and next(kept) >= changes):
                mortal.gone = True
                raise Stale("the lease has gone")

        lab.org, lab.keep = cast("Org", mortal), keep
        with pytest.raises(Stale):
            one.run(lab)
        assert mortal.late == []
