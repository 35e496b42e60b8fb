"""Which routine work may begin: breakers, the org's own count of its API requests, our logins."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotator.daemon.breakers import MOST, Breakers
from rotator.daemon.gate import Gate, watch
from rotator.domain.session import Usage
from rotator.metrics.meters import Meters
from rotator.wiring.connections import Connections
from rotator.wiring.limits import RECOUNT, barred
from rotator.wiring.outside import HOUR, OWN, Outside
from tests.unit.config.given import loaded
from tests.unit.daemon.test_board import Time
from tests.unit.daemon.test_breakers import DEAD, FINE, answer


class Clock:
    """ports.Clock over a time that a test moves."""

    def __init__(self, time: Time) -> None:
        self.time = time

    def monotonic(self) -> float:
        return self.time.now

    def sleep(self, seconds: float) -> None:
        self.time.now += seconds

    def jitter(self) -> float:
        return 0.0


class Told(Connections):
    """Connections whose org says how much of its API requests it has used."""

    said: Usage | None = None

    def usage(self, org: str) -> Usage | None:
        return self.said


class Desk:
    """A gate over one org, acme, and what moves it."""

    def __init__(self, folder: Path) -> None:
        self.time = Time()
        clock = Clock(self.time)
        self.breakers = Breakers(clock.monotonic, clock.jitter)
        self.gate = Gate(self.breakers, lambda: self.connections)
        self.outside: Outside = watch(clock, Meters(self.time), self.breakers, self.gate)
        limits = "[limits]\nown_logins_per_hour = 3\napi_share = 80\n"
        self.connections = Told(loaded(folder, limits), clock, host="here", version="1", outside=self.outside)

    def hear(self, side: str, *statuses: int) -> None:
        """Answers of a far side, as the connections hear them."""
        for status in statuses:
            self.outside.heard(side, answer(status))

    def lets(self, busy: int = 0, everywhere: int = 0) -> bool:
        """Whether a job of acme may begin beside so many."""
        return self.gate.lets("acme", busy, everywhere)

    def why(self) -> str:
        """The words that `status` shows."""
        return barred(self.connections, "acme")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A fresh one, at which all is well."""
    return Desk(tmp_path)


def test_where_all_is_well_nothing_is_barred(desk: Desk) -> None:
    """And however many are in work: that is the board's own limit."""
    assert (desk.lets(busy=3, everywhere=7), desk.why()) == (True, "")


@pytest.mark.parametrize(("side", "name"), [("acme", "the org acme"), ("", "Vault")])
def test_a_far_side_that_is_down_bars_the_org_in_words(desk: Desk, side: str, name: str) -> None:
    """The org itself, or the Vault that each step needs; until the wait is over."""
    desk.hear(side, *[DEAD] * MOST)
    assert not desk.lets()
    assert desk.why().startswith(f"{name} does not answer; next try in 0:00:0")
    desk.time.now += desk.breakers.left(side)
    assert (desk.lets(), desk.why()) == (True, "")


def test_half_open_lets_one_job_through(desk: Desk) -> None:
    """Of the org; for Vault, one in all. Its answer opens the gate wide."""
    desk.hear("acme", *[DEAD] * MOST)
    desk.time.now += desk.breakers.left("acme")
    assert (desk.lets(0, 5), desk.lets(1, 5)) == (True, False)
    desk.hear("acme", FINE)
    assert desk.lets(1, 5)
    desk.hear("", *[DEAD] * MOST)
    desk.time.now += desk.breakers.left("")
    assert (desk.lets(0, 0), desk.lets(0, 1)) == (True, False)


def test_an_org_near_its_limit_waits_and_is_asked_again_by_one(desk: Desk) -> None:
    """From the configured share on; an old count may be wrong by now, and a single job finds that out."""
    desk.connections.said = Usage(79, 100, desk.time.now)
    assert desk.lets(3)
    desk.connections.said = Usage(80, 100, desk.time.now)
    assert not desk.lets()
    assert desk.why().startswith("acme has used 80 of its 100 API requests a day, and routine work stops at 80 %")
    desk.time.now += RECOUNT
    assert (desk.lets(0), desk.lets(1), desk.why()) == (True, False, "")
    desk.connections.said = Usage(12, 100, desk.time.now)
    assert desk.lets(3)


def test_too_many_logins_of_our_own_bar_the_org_for_the_hour(desk: Desk) -> None:
    """A loop of refused tokens must not get the rotator's user blocked."""
    for _ in range(3):
        assert desk.lets()
        desk.outside.spent.add("acme", OWN)
        desk.time.now += 60
    assert not desk.lets()
    assert "logged in to acme 3 times within an hour" in desk.why()
    desk.time.now += HOUR - 3 * 60
    assert desk.lets()
