"""What becomes of a job after its turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rotator.daemon.board import Board, Job
from rotator.daemon.pool import Pool
from rotator.daemon.setbacks import Setbacks
from rotator.daemon.trouble import Trouble
from rotator.domain.errors import (
    ConfigError,
    InvariantBroken,
    LeaseTaken,
    LedgerUnavailable,
    OtherHost,
    Refused,
    RotatorError,
    Stale,
    Unavailable,
)
from rotator.domain.notice import Notice
from rotator.metrics.meters import Meters
from tests.unit.daemon.test_board import Idle, Time


class Errand(Idle):
    """One whose turn is this."""

    def __init__(self, act: Callable[[Errand], None]) -> None:
        super().__init__("a1")
        self._act = act

    def turn(self) -> None:
        """Acts."""
        self._act(self)


class Desk:
    """A pool without threads, and what it did."""

    def __init__(self) -> None:
        self.time = Time()
        self.board = Board(4, self.time)
        self.setbacks = Setbacks(self.time, lambda: 0.0)
        self.broken = self.code = 0
        self.said: list[Notice] = []
        trouble = Trouble(self.said.extend, self.time)
        self.pool = Pool(self.board, self.setbacks, 0, self._break, Meters(self.time), trouble)

    def _break(self, error: RotatorError) -> None:
        self.broken += 1
        self.code = error.exit_code

    def turn(self, act: Callable[[Errand], None]) -> None:
        """One turn of a job that acts so."""
        self.board.offer(Job("a1", "a", Errand(act)))
        job = self.board.take()
        assert job is not None
        self.pool.turn(job)


def fails(error: RotatorError) -> Callable[[Errand], None]:
    """What an errand does that meets this."""

    def act(errand: Errand) -> None:
        errand.error, errand.finished = error, True

    return act


def finishes(errand: Errand) -> None:
    """What one does that went well."""
    errand.finished = True


def test_an_errand_that_is_not_finished_comes_back() -> None:
    """After the time that it asks for."""
    desk = Desk()
    desk.turn(lambda errand: setattr(errand, "idle", 3.0))
    assert (desk.board.keys(), desk.board.busy()) == (frozenset({"a1"}), 0)
    desk.time.now = 3.0
    assert desk.board.take() is not None


@pytest.mark.parametrize("error", [ConfigError("no"), Refused("no"), RotatorError("no")])
def test_an_app_that_cannot_be_worked_on_is_left_alone_for_a_while(error: RotatorError) -> None:
    """Longer each time, up to five minutes; a good turn forgets it."""
    desk = Desk()
    for pause in (5.0, 10.0, 20.0):
        desk.turn(fails(error))
        assert desk.setbacks.bars("a1")
        desk.time.now += pause - 0.1
        assert desk.setbacks.bars("a1")
        desk.time.now += 0.2
        assert not desk.setbacks.bars("a1")
    for _ in range(20):
        desk.turn(fails(error))
    desk.time.now += 300.1
    assert not desk.setbacks.bars("a1")
    desk.turn(lambda errand: setattr(errand, "finished", True))
    desk.turn(fails(error))
    desk.time.now += 5.1
    assert (desk.setbacks.bars("a1"), desk.broken) == (False, 0)


@pytest.mark.parametrize(
    "error", [LeaseTaken("other"), Stale("other"), Refused("late", code="not_due"), LedgerUnavailable("down")]
)
def test_what_another_worker_does_is_no_setback(error: RotatorError) -> None:
    """The next tick sees what is left to do; so it is with a database that is down."""
    desk = Desk()
    desk.turn(fails(error))
    assert (desk.board.keys(), desk.setbacks.bars("a1")) == (frozenset(), False)


def test_a_broken_promise_stops_everything() -> None:
    """InvariantBroken reaches the service."""
    desk = Desk()
    desk.turn(fails(InvariantBroken("no")))
    assert (desk.broken, desk.code) == (1, 3)
    other = Desk()
    other.turn(fails(OtherHost("the database file is in use")))
    assert (other.broken, other.code) == (1, 2)


def test_a_defect_in_one_app_leaves_the_others_at_work() -> None:
    """Whatever its turn raises: the job is gone, the app left alone, the thread alive."""
    desk = Desk()

    def crash(_errand: Errand) -> None:
        raise ZeroDivisionError

    desk.turn(crash)
    assert (desk.board.keys(), desk.board.busy(), desk.setbacks.bars("a1")) == (frozenset(), 0, True)


def test_what_only_a_human_can_mend_is_told_at_once_and_its_end_too() -> None:
    """A clear no: told with its code and fix; when the app was worked on: told that it is over, once."""
    desk = Desk()
    desk.turn(fails(ConfigError("the org is another one", fix="correct host")))
    (told,) = desk.said
    assert (told.topic, told.status, told.app, told.fix) == ("failing", "firing", "a1", "correct host")
    for _ in range(2):
        desk.turn(finishes)
    assert [(n.status, n.key) for n in desk.said[1:]] == [("resolved", "app/a1/failing"), ("resolved", "org/a/failing")]


def test_an_org_that_is_down_is_told_once_it_lasts() -> None:
    """Nothing for five minutes, then one trouble of the org, however many apps meet it."""
    desk = Desk()
    desk.turn(fails(Unavailable("the org does not answer")))
    assert desk.said == []
    desk.time.now += 301
    desk.turn(fails(Unavailable("the org does not answer")))
    assert [(n.status, n.key, n.app) for n in desk.said] == [("firing", "org/a/failing", "")]
