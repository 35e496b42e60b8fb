"""The login budget of run-as users."""

from __future__ import annotations

import pytest

from rotator.domain.errors import Unavailable
from rotator.domain.pair import Consumer
from rotator.wiring.outside import HOUR, WORKLOAD, Budget, Outside, Spent

BILLING, ORDERS = (Consumer("00D", "0xI", consumer) for consumer in ("888a", "888b"))


class Scene:
    """A budget of three logins an hour in the org acme, and a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.forced: list[str] = []
        self.outside = Outside(Spent(lambda: self.now), over_budget=self.forced.append)
        self.budget = Budget(self.outside, "acme", 3)

    def logins(self, consumer: Consumer, number: int, *, forced: bool = False) -> None:
        """So many, one a second."""
        for _ in range(number):
            self.budget.ask(consumer, forced=forced)
            self.now += 1


def test_routine_work_waits_once_the_budget_is_used_up() -> None:
    """The error says for how long, and after that there is room for one more."""
    scene = Scene()
    scene.logins(BILLING, 3)
    with pytest.raises(Unavailable, match="3 token requests in an hour") as caught:
        scene.logins(BILLING, 1)
    assert (caught.value.code, caught.value.retry_after) == ("logins_spent", HOUR - 3)
    scene.now += HOUR - 3
    scene.budget.ask(BILLING, forced=False)
    with pytest.raises(Unavailable):
        scene.budget.ask(BILLING, forced=False)


def test_a_refused_try_costs_nothing() -> None:
    """Whoever waits does not push the end of the wait before himself."""
    scene = Scene()
    scene.logins(BILLING, 3)
    for _ in range(10):
        with pytest.raises(Unavailable):
            scene.logins(BILLING, 1)
    assert scene.outside.spent.most("acme") == 3


def test_a_forced_rotation_goes_on_and_it_is_said() -> None:
    """Beyond the budget, and its logins count against what is routine."""
    scene = Scene()
    scene.logins(BILLING, 5, forced=True)
    assert scene.forced == ["acme", "acme"]
    with pytest.raises(Unavailable):
        scene.logins(BILLING, 1)


def test_apps_that_share_a_run_as_user_share_its_budget() -> None:
    """Before the user was seen each consumer counts for itself."""
    scene = Scene()
    scene.logins(BILLING, 2)
    scene.logins(ORDERS, 2)
    scene.budget.belongs(BILLING, "005x")
    scene.budget.belongs(ORDERS, "005x")
    scene.logins(BILLING, 2)
    scene.logins(ORDERS, 1)
    with pytest.raises(Unavailable):
        scene.logins(BILLING, 1)
    scene.budget.belongs(ORDERS, "")
    with pytest.raises(Unavailable):
        scene.logins(ORDERS, 1)


def test_the_busiest_user_of_an_org_is_told() -> None:
    """Not the rotator's own, nor another org's."""
    scene = Scene()
    scene.logins(BILLING, 2)
    scene.logins(ORDERS, 1)
    scene.outside.spent.add("acme", "own")
    scene.outside.spent.add("bolt", "005y")
    told = {who: scene.outside.spent.most("acme", users) for who, users in ((WORKLOAD, None), ("own", ["own"]))}
    assert told == {WORKLOAD: 2, "own": 1}
    assert scene.outside.spent.most("bolt") == 1
    scene.now += HOUR
    assert scene.outside.spent.most("acme") == 0
