"""Forced rotations through the real adapters: over a routine one that died anywhere, twice, and against a thief.

What `done` says is asked of the simulator's own record: no pair that was known at the decision is accepted, no token of
one lives, and the new pair is primary and live.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from rotator.domain.changes import Changes
from rotator.domain.event import Event
from rotator.domain.rotation import Policy, Rotation, Who
from rotator.domain.words import State, Trigger
from rotator.ports import Lease
from rotator.saga.opening import open_rotation
from rotator.simulator import Running
from rotator.wiring.errand import Errand, Until, Way, attend
from tests.crash.support import Door, NotedLedger, Scene, filled, scene
from tests.crash.support_verdict import intents_first, no_outage, stands

ORDER = Who("alice", "cli", "key in a log", "INC-7")
POLICY = Policy(overlap=timedelta(0), destroy_old=True)
COMMITS = range(2, 35)  # of a routine rotation without an overlap, from its opening to its proof
SEED = 20
Make = Callable[..., Scene]
Hook = Callable[[int], None]


class Death(BaseException):
    """The process died."""


@pytest.fixture
def make(sim: Running, door: Door, tmp_path: Path) -> Make:
    """Makes scenes; the database of the last one lies in the test's folder."""
    filled(f"sqlite:///{tmp_path}/template.db")
    place = tmp_path / "rotator"

    def made(**options: Any) -> Scene:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        shutil.copy(tmp_path / "template.db", place / "rotator.db")
        return scene(sim, door, f"sqlite:///{place}/rotator.db", **{"overlap": timedelta(0), "overlap_s": 0, **options})

    return made


def run(here: Scene, hook: Hook = lambda n: None, order: Who | None = ORDER) -> Rotation | None:
    """One process; a force unless there is no order. `hook` is told before each commit, and may end the process."""
    with here.process() as (ports, setting):
        ledger, count = ports.ledger, 0
        assert isinstance(ledger, NotedLedger)
        commit = ledger.commit

        def hooked(lease: Lease, seen: Rotation, event: Event, changes: Changes, **more: Any) -> Rotation:
            nonlocal count
            count += 1
            hook(count)
            return commit(lease, seen, event, changes, **more)

        ledger.commit = hooked  # type: ignore[method-assign] # of this one object: a process that dies here
        consumer = ports.salesforce.find(here.billing["developer_name"], "")
        trigger = Trigger.FORCE if order else Trigger.MANUAL
        policy = POLICY if order else Policy(overlap=here.overlap)
        begin = partial(open_rotation, ports, app="billing", org="acme", consumer=consumer, target=here.target,
                        policy=policy, who=order or Who(), trigger=trigger)  # fmt: skip
        owner = f"{order.ticket if order else 'routine'}-{here.time.monotonic()}"
        errand = Errand(replace(setting, owner=owner), "billing", Until.DONE,
                        lambda: Way(ports, consumer, begin, trigger=trigger, order=order))  # fmt: skip
        attend([errand], setting)
        assert errand.error is None, repr(errand.error)
        return errand.row


def dies(here: Scene, n: int, order: Who | None) -> None:
    """A process that dies before its n-th commit, should it get there. The time of its lease passes."""

    def hook(count: int) -> None:
        if count == n:
            raise Death

    with suppress(Death):
        run(here, hook, order)
    here.time.sleep(31)


def judge(here: Scene, row: Rotation | None) -> None:
    """`done` is true of the simulator's record; whatever was said, readers were served and nothing was blind."""
    assert row is not None
    no_outage(here)
    intents_first(here.history(), here.notes)
    if row.state is not State.DONE:
        return
    truth = here.door.get("/truth")["acme"]["billing"]["consumers"][0]
    assert truth["primary"]["key"] == row.new_key
    assert truth["slot"] == []
    alive = [pair for pair in truth["gone"] if pair["accepted"] or pair["tokens"]]
    assert not alive, "done, and an old pair or a token of one lives"
    stands(here, row.new_key)


def must_end_over_a_dead_routine(make: Make, n: int, second: int = 0, **options: Any) -> State:
    """A routine rotation dies at its n-th commit; a force comes, and maybe another while the first is at its m-th."""
    here = make(**options)
    dies(here, n, None)
    if second:
        dies(here, second, ORDER)
    row = run(here, order=replace(ORDER, ticket="INC-8")) if second else run(here)
    judge(here, row)
    assert row is not None
    assert row.state is State.DONE, f"after {n}, {second}: {row.state} {row.reason}: {row.message}"
    return row.state


def test_a_force_over_a_routine_rotation_that_died_anywhere(make: Make) -> None:
    """Every fifth commit of the routine one: the force ends done, and that is true."""
    for n in range(COMMITS.start, COMMITS.stop, 5):
        must_end_over_a_dead_routine(make, n)


def test_a_second_force_on_top_of_a_first_that_died(make: Make) -> None:
    """A seeded sample of both places."""
    rng = random.Random(SEED)
    for _ in range(3):
        must_end_over_a_dead_routine(make, rng.choice(COMMITS), rng.randrange(2, 34))


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_a_force_at_every_place_and_a_second_at_many(make: Make) -> None:
    """Every commit; a second force at a seeded hundred pairs of places."""
    rng = random.Random(SEED)
    for n in COMMITS:
        must_end_over_a_dead_routine(make, n)
    for _ in range(100):
        must_end_over_a_dead_routine(make, rng.choice(COMMITS), rng.randrange(2, 40))


def must_resume(make: Make, places: range) -> None:
    """A force dies at each of these commits of its own; the same order resumes it."""
    for n in places:
        here = make()
        dies(here, n, ORDER)
        row = run(here)
        judge(here, row)
        assert row is not None
        assert row.state is State.DONE, f"after {n}: {row.state} {row.reason}"


def test_a_force_that_dies_goes_on_with_the_same_order(make: Make) -> None:
    """Every ninth commit of the force."""
    must_resume(make, range(3, 40, 9))


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_a_force_that_dies_anywhere_goes_on(make: Make) -> None:
    """Every commit of the force."""
    must_resume(make, range(1, 42))


class Thief:
    """Has the pair, and the tokens that it gave him; logs in at every commit, and uses each token to keep it alive."""

    def __init__(self, here: Scene, acts: dict[int, str] | None = None) -> None:
        self.here, self.acts, self.tokens = here, acts or {}, list[str]()
        self._http = httpx.Client(base_url=here.sim.org_url, trust_env=False)

    def __enter__(self) -> Thief:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def __call__(self, count: int) -> None:
        if count in self.acts:
            self.here.door.post("/strangers", {"act": self.acts[count], "app": "billing"})
        pair = {"client_id": self.here.billing["client_id"], "client_secret": self.here.billing["client_secret"]}
        form = {"grant_type": "client_credentials", **pair}
        answer = self._http.post("/services/oauth2/token", data=form)
        if answer.status_code == 200:
            self.tokens.append(answer.json()["access_token"])
        self.tokens = [token for token in self.tokens if self.alive(token)]

    def alive(self, token: str) -> bool:
        headers = {"authorization": f"Bearer {token}"}
        return self._http.get("/services/data/v65.0/limits", headers=headers).status_code == 200


FACTS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "slow to forget a pair": {"facts": {"delete_propagation": "600s"}},
    "slow, and each server in its own time": {
        "facts": {"delete_propagation": "600s"}, "shapes": {"propagation": "flapping"}},
    "tokens die with their pair": {"facts": {"tokens_die_with_pair": "yes"}},
    "no lever ends a token": {"facts": {"lever_usage_ends": "no", "lever_deletetoken_ends": "no",
                                        "lever_authsession_ends": "no"}},
    "only sessions are listed": {"facts": {"tokens_listed_usage": "no", "tokens_listed_oauthtoken": "no"}},
    "nothing is listed": {"facts": {"tokens_listed_usage": "no", "tokens_listed_oauthtoken": "no",
                                    "tokens_listed_authsession": "no"}},
    "self-contained tokens": {"shapes": {"token_format": "jwt"}},
}  # fmt: skip
UNPROVABLE = ("no lever ends a token", "nothing is listed")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("world", list(FACTS))
def test_a_thief_who_logs_in_until_he_is_refused_ends_without_a_token(world: str, make: Make) -> None:
    """Done: none of his tokens works. Where that cannot be brought about, or not be seen, it is unproven."""
    here = make(**FACTS[world])
    with Thief(here) as thief:
        row = run(here, thief)
        judge(here, row)
        assert row is not None
        assert row.state is (State.UNPROVEN if world in UNPROVABLE else State.DONE), f"{row.reason} {row.message}"
        assert row.state is not State.DONE or not any(map(thief.alive, thief.tokens))


ACTS = ("stage_as_us", "swap_as_us", "delete", "delete_rotated", "stage_and_promote", "promote")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("act", ACTS)
def test_a_thief_who_touches_the_slot_is_contained_or_held(act: str, make: Make) -> None:
    """At a seeded sample of commits he stages under our name, deletes, promotes: his pair is never stored or promoted
    by us; it ends done, unproven, or held for a human."""
    rng = random.Random(SEED)
    for n in rng.sample(range(2, 30), 2):
        here = make()
        with Thief(here, {n: act}) as thief:
            row = run(here, thief)
        judge(here, row)
        assert row is not None
        assert row.state in (State.DONE, State.UNPROVEN, State.HELD), f"{act} at {n}: {row.state} {row.reason}"
