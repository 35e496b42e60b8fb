"""One fault in one rotation, through the real adapters: every kind at every request, on both databases.

What is asked after each: invariant 1 was never broken; the rotation ends `done` by itself, but for the answers that a
human must look at; published exactly once; nothing left in slot and escrow; no change without a committed intent; the
chain is whole; no secret in the database; nothing sent to another host.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rotator.domain.rotation import Rotation
from rotator.domain.timing import Timing
from rotator.domain.words import State
from rotator.simulator import Running
from tests.crash.support import ACCEPTING, Door, Scene, filled, scene
from tests.crash.support_faults import KINDS, SHORT, UNREADABLE, Plan, changes, every, lean, sample
from tests.crash.support_verdict import intents_first, never_blind, no_outage, rotated, silent, stands, untouched
from tests.servers.postgres import RealPostgres

SEEDS = (7, 3)  # of the simulated org's habits: `make check`, and one more of `make crash`
WORLDS: dict[str, dict[str, Any]] = {
    "facts unknown": {"stated": {}},
    "staged pair not accepted": {
        "facts": {"staged_pair_accepted": "no"},
        "stated": {"staged_pair_accepted": "no", "rotated_pair_accepted": "yes"},
    },
    "rotated pair not accepted": {
        "facts": {"rotated_pair_accepted": "no"},
        "stated": {"staged_pair_accepted": "yes", "rotated_pair_accepted": "no"},
        "overlap_s": 0,  # promised to the old pair until promote, which kills it
    },
    "secret told once": {"facts": {"secret_readable_again": "no"}},
    "slow to know a pair": {"facts": {"new_pair_propagation": "90s", "delete_propagation": "120s"}},
    "sessions shared": {"facts": {"session_shared_between_logins": "yes"}},
    "no overlap": {"overlap": timedelta(0), "overlap_s": 0},
    "tokens die with their pair": {"facts": {"tokens_die_with_pair": "yes"}},
    "slot id survives": {"facts": {"slot_id_survives_rotate": "yes"}},
}
REFUSALS = ("429", "429, long", "redirect")  # an answer that says that nothing was done
Make = Callable[..., Scene]


@pytest.fixture
def on_sqlite(sim: Running, door: Door, tmp_path: Path) -> Make:
    """Makes scenes; the database of the last one lies in the test's folder."""
    filled(f"sqlite:///{tmp_path}/template.db")
    place = tmp_path / "rotator"

    def make(**options: Any) -> Scene:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        shutil.copy(tmp_path / "template.db", place / "rotator.db")
        return scene(sim, door, f"sqlite:///{place}/rotator.db", **options)

    return make


@pytest.fixture
def on_postgres(sim: Running, door: Door, real_postgres: RealPostgres) -> Make:
    return lambda **options: scene(sim, door, real_postgres.clone("crash", filled), **options)


def undisturbed(make: Make, **options: Any) -> list[dict[str, Any]]:
    """A rotation without a fault; gives its requests."""
    here = make(**options)
    row = here.run_to_rest()
    history = here.history()  # before the verdict looks at Vault too
    judge(here, row)
    return history


def attempt(make: Make, plan: Plan, **options: Any) -> tuple[State, str]:
    """One rotation with this fault; gives how it first came to rest. AssertionError where a promise was broken."""
    here = make(deadline=SHORT if plan.kind.sharp else 10.0, **options)
    here.door.post("/faults", plan.kind.spec(plan.n, here.sim.trap_url))
    row = here.run_to_rest()
    rest = row.state, row.reason
    if row.state is State.HELD:  # the human has looked
        here.release(row)
        row = here.run_to_rest()
    if row.state is State.FAILED:
        untouched(here)
        row = here.run_to_rest()
    assert [fault["fired"] for fault in here.door.get("/faults")] == [1], "the fault was not played"
    judge(here, row)
    if plan.kind.name not in REFUSALS and "requests" not in plan.kind.args:  # those have landed when we look
        never_blind(here.history(), Timing().settle.total_seconds())
    return rest


def judge(here: Scene, row: Rotation) -> None:
    """Every promise, at the end."""
    no_outage(here)
    intents_first(here.history(), here.notes)
    rotated(here, row)
    trail = here.trail()
    assert [event["step"] for event in trail].count("close") >= 2
    if here.url.startswith("sqlite"):
        silent(here, Path(here.url.removeprefix("sqlite:///")).parent)


def explore(make: Make, plans: list[Plan], **options: Any) -> Counter[State]:
    """All plans; the violations as one text."""
    ends, wrong = Counter[State](), []
    for plan in plans:
        try:
            state, reason = attempt(make, plan, **options)
        except AssertionError as error:
            wrong.append(f"{plan}: {error}")
            continue
        if state not in allowed(plan):
            wrong.append(f"{plan}: ended {state} ({reason})")
        ends[state] += 1
    print(f"{len(plans)} faults: {dict(ends)}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(plans)}:", *wrong[:20]])
    return ends


def allowed(plan: Plan) -> tuple[State, ...]:
    """How a rotation may come to rest. A human is needed only where a read was answered with what nobody can read,
    and for a redirect of the org, which is a wrong address or somebody in between (protocol section 4)."""
    holds = plan.kind.name in UNREADABLE and not plan.write
    return (State.DONE, State.HELD) if holds else (State.DONE,)


def test_an_undisturbed_rotation_ends_with_every_claim_proven(on_sqlite: Make) -> None:
    """The plan without a fault; and it looks for the end of its overlap at most twice."""
    here = on_sqlite(seed=SEEDS[0])
    judge(here, here.run_to_rest())
    waits = [event for event in here.trail() if (event["step"], event["phase"]) == ("overlap", "decision")]
    assert len(waits) <= 2


@pytest.mark.timeout(900)
def test_every_fault_is_survived(on_sqlite: Make) -> None:
    """SQLite: the lean kinds at every change and at every sort of read, a fault at every request."""
    history = undisturbed(on_sqlite, seed=SEEDS[0])
    plans = lean(history)
    assert {plan.n for plan in plans} == set(range(1, len(history) + 1))
    assert sum(map(changes, history)) >= 10
    ends = explore(on_sqlite, plans, seed=SEEDS[0])
    assert ends[State.DONE] > 0.9 * len(plans)


@pytest.mark.timeout(600)
def test_a_sample_of_faults_is_survived_on_postgresql(on_postgres: Make) -> None:
    """PostgreSQL: a seeded sample, half of it at changes."""
    ends = explore(on_postgres, sample(undisturbed(on_postgres, seed=SEEDS[0]), 24), seed=SEEDS[0])
    assert ends[State.DONE] > 12


@pytest.mark.timeout(600)
@pytest.mark.parametrize("world", list(WORLDS))
def test_faults_are_survived_in_orgs_that_differ_in_one_fact(world: str, on_sqlite: Make) -> None:
    """A seeded sample in each of these worlds."""
    ends = explore(on_sqlite, sample(undisturbed(on_sqlite, **WORLDS[world]), 8), **WORLDS[world])
    assert ends[State.DONE] > 4


@pytest.mark.timeout(600)
def test_a_late_change_finds_nothing_to_harm_where_all_goes_fast(on_sqlite: Make) -> None:
    """Without an overlap the slot is empty again within the time in which a late call may land."""
    plans = [plan for plan in every(undisturbed(on_sqlite, **WORLDS["no overlap"])) if plan.kind.kind == "late"]
    ends = explore(on_sqlite, [plan for plan in plans if plan.write and plan.kind.lean], **WORLDS["no overlap"])
    assert set(ends) == {State.DONE}


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_at_every_request_on_sqlite(kind: Any, seed: int, on_sqlite: Make) -> None:
    """The whole space, in two orgs of different habits."""
    history = undisturbed(on_sqlite, seed=seed)
    assert explore(on_sqlite, [plan for plan in every(history) if plan.kind is kind], seed=seed)


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_at_every_request_on_postgresql(kind: Any, on_postgres: Make) -> None:
    """The whole space on PostgreSQL."""
    history = undisturbed(on_postgres, seed=SEEDS[0])
    assert explore(on_postgres, [plan for plan in every(history) if plan.kind is kind], seed=SEEDS[0])


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("world", list(WORLDS))
def test_many_faults_in_orgs_that_differ_in_one_fact(world: str, on_sqlite: Make) -> None:
    """A larger sample in each world, with other habits."""
    options = {**WORLDS[world], "seed": SEEDS[1]}
    assert explore(on_sqlite, sample(undisturbed(on_sqlite, **options), 150), **options)


def test_the_scenes_start_as_they_should(on_sqlite: Make) -> None:
    """What the verdict looks at is there before anything was done: old is primary and live, and published alone."""
    here = on_sqlite(stated=ACCEPTING)
    untouched(here)
    with pytest.raises(AssertionError):
        stands(here, "another key")
