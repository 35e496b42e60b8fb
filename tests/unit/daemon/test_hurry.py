"""What a person waits for comes first."""

from __future__ import annotations

import pytest

from rotator.daemon.board import Board, Job
from rotator.domain.errors import Unavailable
from rotator.domain.rotation import Rotation
from tests.unit.cli.test_told import ROW
from tests.unit.daemon.test_board import Idle, Time, board, job, taken


def asked(made: Board, key: str) -> Idle:
    """A person's errand for this app, on the board."""
    errand = Idle(key)
    made.hurry(Job(key, key[0], errand))
    return errand


def test_what_a_person_asks_for_is_taken_before_all_else() -> None:
    """Before what is open and what is new, in whatever org; among those the orgs take turns."""
    made = board("a1", "a2", "b1", new=False)
    asked(made, "c1")
    asked(made, "b2")
    assert set(taken(made, 2)) == {"c1", "b2"}


def test_it_does_not_wait_for_the_first_turns_of_the_start() -> None:
    """At the start nothing new is begun before each open rotation had its turn; a person's is."""
    made = board()
    made.offer(job("a1"), first=True)
    made.offer(job("a2", new=True))
    assert taken(made, 1) == ["a1"]
    asked(made, "a3")
    assert taken(made, 1) == ["a3"]


def test_the_limit_of_an_org_holds_for_people_too() -> None:
    """Nobody may ask more of an org at once; the next turn is the person's."""
    made = board("a1", "a2", "b1", per_org=1)
    first = made.take()
    asked(made, "a3")
    assert taken(made, 1) == ["b1"]
    assert first is not None
    made.drop(first)
    assert taken(made, 1) == ["a3"]


@pytest.mark.parametrize("new", [True, False])
def test_the_scheduled_job_of_the_app_makes_place(new: bool) -> None:
    """One that waits on the board is forgotten: the person's errand resumes what is open itself."""
    made = board("a1", "a2", new=new)
    asked(made, "a1")
    assert taken(made, 2) == ["a1", "a2"]
    assert made.keys() == {"a1", "a2"}


def test_one_that_sleeps_makes_place_too() -> None:
    """It was put back for an hour: the person does not wait for that."""
    made = board("a1")
    sleeper = made.take()
    assert sleeper is not None
    made.put_back(sleeper, 3600)
    asked(made, "a1")
    assert taken(made, 1) == ["a1"]


def test_two_of_one_app_are_never_in_work_at_once() -> None:
    """The scheduled one is in work: the person's waits for its turn to end, and then takes its place."""
    made = board("a1", "b1")
    scheduled = made.take()
    assert scheduled is not None
    mine = Job("a1", "a", Idle("a1"))
    assert made.hurry(mine) is True
    assert taken(made, 1) == ["b1"]
    made.put_back(scheduled, 0)
    assert made.take() is mine
    made.drop(mine)
    assert made.keys() == {"b1"}


def test_two_people_take_turns_at_one_app() -> None:
    """Both errands stay, one in work at a time; when one is over the other is still there."""
    made = board()
    one, other = Job("a1", "a", Idle("a1")), Job("a1", "a", Idle("a1"))
    assert (made.hurry(one), made.hurry(other)) == (False, False)
    assert made.take() is one
    made.put_back(one, 0)
    assert made.take() is other
    made.drop(other)
    assert (made.has(one.errand), made.has(other.errand)) == (True, False)
    assert made.take() is one


def test_a_reload_keeps_what_a_person_asked_for_and_is_not_begun() -> None:
    """What is begun goes on by the next look for what is open; what is not begun would be lost."""
    made = board("a1")
    begun, fresh = asked(made, "b1"), asked(made, "c1")
    begun.row = Rotation(**{name: getattr(ROW, name) for name in ROW.__slots__})
    made.clear()
    assert made.keys() == {"c1"}
    assert (made.has(begun), made.has(fresh)) == (False, True)
    assert made.busy_with_old() is True
    assert taken(made, 1) == ["c1"]


def test_a_daemon_that_stops_takes_nothing_more() -> None:
    """Once the board is closed a person is told to try again in a moment."""
    made = Board(1, Time())
    made.close()
    with pytest.raises(Unavailable, match="stopping"):
        asked(made, "a1")
