"""When a far side is left alone, and when it is asked again."""

from __future__ import annotations

from collections import Counter

from rotator.adapters.answer import Exchange
from rotator.daemon.board import Board
from rotator.daemon.breakers import MOST, WITHIN, Breaker, Breakers
from tests.unit.daemon.test_board import Time, job, taken

FINE, DEAD = 200, 503


def answer(status: int) -> Exchange:
    """A call that was answered so; 0: not at all."""
    return Exchange("GET", "/", status, "" if status else "timeout", 0.1)


class Scene:
    """Breakers, and a clock that a test moves."""

    def __init__(self) -> None:
        self.time = Time()
        self.breakers = Breakers(self.time, lambda: 0.0)

    def hear(self, *statuses: int, side: str = "acme") -> Breaker:
        """These answers, one after the other; the state afterwards."""
        for status in statuses:
            self.breakers.heard(side, answer(status))
        return self.breakers.state(side)


def test_many_failures_in_a_row_open_it() -> None:
    """Not one fewer; no answer at all counts as an error of the server does."""
    scene = Scene()
    assert scene.hear(*[DEAD, 0] * (MOST // 2 - 1), DEAD) is Breaker.CLOSED
    assert scene.hear(DEAD) is Breaker.OPEN
    assert (scene.breakers.state("bolt"), scene.breakers.state("")) == (Breaker.CLOSED, Breaker.CLOSED)


def test_a_clear_no_is_an_answer() -> None:
    """However often: a 400, 401, 403 or 404 shows that the far side works, and starts the count again."""
    scene = Scene()
    assert scene.hear(*[400, 401, 403, 404] * MOST) is Breaker.CLOSED
    assert scene.hear(*[DEAD] * (MOST - 1), 401, *[DEAD] * (MOST - 1)) is Breaker.CLOSED


def test_a_vault_that_does_not_serve_counts_as_down() -> None:
    """Throttled (429), a standby of another cluster (472, 473), sealed (503)."""
    for status in (429, 472, 473, 503):
        assert Scene().hear(*[status] * MOST, side="") is Breaker.OPEN, status


def test_failures_that_are_far_apart_do_not_open_it() -> None:
    """An org with one job in ten minutes is paced by the job's own retries."""
    scene = Scene()
    for _ in range(3 * MOST):
        assert scene.hear(DEAD) is Breaker.CLOSED
        scene.time.now += WITHIN / 2


def test_after_the_wait_one_answer_closes_it_and_one_failure_doubles_the_wait() -> None:
    """Half open in between; while it is open failures of what is still in hand change nothing."""
    scene = Scene()
    scene.hear(*[DEAD] * MOST)
    first = scene.breakers.left("acme")
    assert scene.hear(DEAD, 0, DEAD) is Breaker.OPEN
    assert scene.breakers.left("acme") == first
    scene.time.now += first
    assert scene.breakers.state("acme") is Breaker.HALF_OPEN
    assert scene.hear(0) is Breaker.OPEN
    assert scene.breakers.left("acme") == 2 * first
    scene.time.now += 2 * first
    assert scene.hear(FINE) is Breaker.CLOSED
    assert scene.hear(*[DEAD] * (MOST - 1)) is Breaker.CLOSED


def test_the_board_gives_out_nothing_of_a_barred_org_but_what_is_forced() -> None:
    """The other org goes on; a forced rotation is tried whatever the breaker says."""
    made = Board(9, Time(), lambda org, busy, everywhere: org != "a")
    for one in (job("a1"), job("a2", new=True), job("b1", new=True)):
        made.offer(one)
    forced = job("a3")
    forced.forced = True
    made.offer(forced)
    assert Counter(taken(made, 2)) == Counter(["a3", "b1"])


def test_what_is_new_does_not_wait_for_open_jobs_of_a_barred_org() -> None:
    """At the start each open rotation has its turn first; those of an org that is down hold up nobody."""
    made = Board(9, Time(), lambda org, busy, everywhere: org != "a")
    made.offer(job("a1"), first=True)
    made.offer(job("b1", new=True))
    assert taken(made, 1) == ["b1"]


def test_a_job_that_was_barred_is_given_out_once_the_gate_opens() -> None:
    """Nobody offers it again: the board asks the gate anew."""
    bars = ["a"]
    time = Time()
    made = Board(9, time, lambda org, busy, everywhere: org not in bars)
    made.offer(job("a1"))
    made.offer(job("b1"))
    assert taken(made, 1) == ["b1"]
    bars.clear()
    assert taken(made, 1) == ["a1"]
