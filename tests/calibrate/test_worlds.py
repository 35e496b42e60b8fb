"""`calibrate` finds every fact of an org as it is set, and never a wrong one."""

from __future__ import annotations

import pytest

from rotator.checks.calibrate.experiments import EXPERIMENTS
from rotator.domain.facts import FACTS
from tests.calibrate.worlds import Bench, bench, drawn, wrong

WORLDS = range(1, 51)
# Shapes that no seed draws, with facts that give them something to do.
ASKED: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
    ({"session_shared_scope": "app"}, {"session_shared_between_logins": "yes", "tokens_die_with_pair": "yes"}),
    ({"session_shared_scope": "app"}, {"session_shared_between_logins": "yes", "tokens_die_with_pair": "no"}),
    ({"slot_taken": "append"}, {}),
    ({"slot_taken": "replace"}, {}),
    ({"post_returns_secret": "no"}, {"secret_readable_again": "yes"}),
    ({"rotate_rotated": "swap"}, {"slot_id_survives_rotate": "yes"}),
)  # fmt: skip


def test_there_is_one_experiment_for_every_fact() -> None:
    """The registry and the table of facts have the same names."""
    assert set(EXPERIMENTS) == set(FACTS)


@pytest.mark.parametrize("seed", [3, 6])
def test_every_fact_of_a_drawn_org_is_found(seed: int) -> None:
    """Whatever the org does and however it writes its answers; unknown is only what the simulator says nobody can see.
    Nothing is left behind: the slot is empty, no token lives, the app is not blocked."""
    must_find_all(seed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", WORLDS)
def test_every_fact_of_fifty_orgs_is_found(seed: int) -> None:
    """The same in fifty worlds."""
    must_find_all(seed)


def test_a_flaky_org_is_never_misread() -> None:
    """One call in seven is lost, late, refused for now or answered with a fault: no value is wrong."""
    must_not_misread(4)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", WORLDS)
def test_fifty_flaky_orgs_are_never_misread(seed: int) -> None:
    """The same in fifty worlds."""
    must_not_misread(seed)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("shapes", "facts"), ASKED)
@pytest.mark.parametrize("seed", range(101, 106))
def test_orgs_of_a_shape_that_no_seed_draws_are_read_right(
    shapes: dict[str, str], facts: dict[str, str], seed: int
) -> None:
    """Sessions that are shared between pairs, slots that take a second pair, secrets that only a later read gives."""
    with bench(seed, facts={**drawn(seed), **facts}, shapes=shapes) as one:
        assert wrong(one, one.run()) == {}
        assert left(one) == {"slot": 0, "tokens": 0, "blocked": False}


@pytest.mark.parametrize(("method", "path"), [("POST", "/staged"), ("PATCH", "/staged/"), ("DELETE", "/staged/")])
def test_a_change_whose_answer_got_lost_is_looked_at_and_not_repeated(method: str, path: str) -> None:
    """Each in turn: everything is found all the same, and of two promotes none was sent a third time."""
    with bench(8, facts={"slot_id_survives_rotate": "yes"}) as one:
        one.door.fault("after", method, path, {})
        assert wrong(one, one.run()) == {}
        assert left(one) == {"slot": 0, "tokens": 0, "blocked": False}
        sent = one.door.get("/history")
        assert sum(call["method"] == "PATCH" for call in sent) == 2


def must_find_all(seed: int) -> None:
    """A calibration of a drawn world, without faults."""
    with bench(seed, facts=drawn(seed), classic=seed % 2 == 0) as one:
        assert wrong(one, one.run()) == {}
        assert left(one) == {"slot": 0, "tokens": 0, "blocked": False}


def must_not_misread(seed: int) -> None:
    """A calibration among faults ends with no wrong value, and leaves no pair and no block behind."""
    with bench(seed, facts=drawn(seed)) as one:
        lab = one.lab()
        one.door.post("/chaos", on=True, seed=seed)
        found = one.run(lab)
        one.door.post("/chaos", on=False)
        assert wrong(one, found, faults=True) == {}
        assert (left(one)["slot"], left(one)["blocked"]) == (0, False)
        assert sum(one.known for one in found.values()) > len(found) / 2


def left(one: Bench) -> dict[str, object]:
    """What stands in the org when all is over."""
    truth = one.truth()
    pairs = (truth["primary"], *truth["slot"], *truth["gone"])
    app = one.door.get("/truth")["acme"]["billing"]
    return {"slot": len(truth["slot"]), "tokens": sum(pair["tokens"] for pair in pairs),
            "blocked": not app["oauth_plugin_enabled"]}  # fmt: skip
