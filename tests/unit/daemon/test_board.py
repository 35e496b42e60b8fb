"""Who may take the next job."""

from __future__ import annotations

import threading

from rotator.daemon.board import Board, Job
from rotator.domain.errors import RotatorError
from rotator.domain.rotation import Rotation


class Idle:
    """An errand that is never turned."""

    row: Rotation | None = None
    error: RotatorError | None = None
    finished = False
    idle = 0.0

    def __init__(self, app: str) -> None:
        self.app = app

    def turn(self) -> None:
        """Nothing."""


class Time:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(key: str, *, new: bool = False) -> Job:
    """A job; its org is the first letter."""
    return Job(key, key[0], Idle(key), new=new)


def board(*keys: str, per_org: int = 9, time: Time | None = None, new: bool = True) -> Board:
    """A board with these jobs."""
    made = Board(per_org, time or Time())
    for key in keys:
        made.offer(job(key, new=new))
    return made


def taken(made: Board, number: int) -> list[str]:
    """The next so many."""
    found = [made.take() for _ in range(number)]
    return [one.key for one in found if one is not None]


def test_orgs_take_turns() -> None:
    """A large org does not keep a small one waiting."""
    assert taken(board("a1", "a2", "a3", "b1", "c1"), 5) == ["a1", "b1", "c1", "a2", "a3"]


def test_an_org_at_its_limit_is_passed_over() -> None:
    """Its next job waits until one comes back; the other org goes on."""
    made = board("a1", "a2", "a3", "b1", "b2", per_org=2)
    first = [made.take() for _ in range(4)]
    assert [one.key for one in first if one] == ["a1", "b1", "a2", "b2"]
    made.offer(job("c1", new=True))
    assert taken(made, 1) == ["c1"]
    made.drop(next(one for one in first if one and one.key == "a1"))
    assert taken(made, 1) == ["a3"]


def test_what_is_open_comes_before_what_is_new() -> None:
    """In one org, though it was offered later."""
    made = board("a1", "a2")
    made.offer(job("a9"))
    assert taken(made, 3) == ["a9", "a1", "a2"]


def test_at_the_start_nothing_new_is_given_out_before_each_open_one_had_its_turn() -> None:
    """Not even in another org; a turn that ends with a wait counts."""
    made = board("b1")
    made.offer(job("a1"), first=True)
    made.offer(job("a2"), first=True)
    one, two = made.take(), made.take()
    assert one is not None
    assert two is not None
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.extend(taken(made, 1)))
    reader.start()
    made.put_back(one, 60)
    reader.join(0.05)
    assert got == []
    made.drop(two)
    reader.join(5)
    assert got == ["b1"]


def test_a_job_that_waits_comes_back_when_its_time_has_come() -> None:
    """Not before, and then as an open one."""
    time = Time()
    made = board("a1", time=time)
    one = made.take()
    assert one is not None
    made.put_back(one, 5)
    made.offer(job("a2", new=True))
    assert taken(made, 1) == ["a2"]
    time.now = 5.0
    made.offer(job("a3", new=True))
    assert taken(made, 2) == ["a1", "a3"]


def test_one_app_has_one_job() -> None:
    """Offered again while it waits or is in work: nothing. After its end: a new one."""
    made = board("a1")
    made.offer(job("a1"))
    one = made.take()
    assert one is not None
    made.offer(job("a1"))
    assert made.keys() == {"a1"}
    made.drop(one)
    assert made.keys() == frozenset()
    made.offer(job("a1"))
    assert taken(made, 1) == ["a1"]


def test_a_cleared_board_takes_no_old_job_back() -> None:
    """After a reload: what waited is gone, what is in work goes after its turn."""
    made = board("a1", "a2")
    one = made.take()
    assert one is not None
    made.clear()
    assert (made.keys(), made.busy_with_old()) == (frozenset({"a1"}), True)
    made.put_back(one, 0)
    assert (made.keys(), made.busy(), made.busy_with_old()) == (frozenset(), 0, False)


def test_a_closed_board_wakes_whoever_waits() -> None:
    """A thread that waits for a job gets none, and ends; nothing is offered any more."""
    made = board()
    got: list[Job | None] = []
    reader = threading.Thread(target=lambda: got.append(made.take()))
    reader.start()
    made.close()
    reader.join(5)
    made.offer(job("a1"))
    assert (got, made.keys()) == ([None], frozenset())
