"""Stories of a rotation that nobody wrote: every invariant holds in each (Hypothesis, stateful)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from rotator.domain.words import State
from tests.crash.machine import Rotations
from tests.model.calls import THEM
from tests.model.mutants import MUTANTS, ROOT, Mutant, plant
from tests.model.scenes import finish, run_to_end

COMMON = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
CAUGHT = ("promote before escrow", "publish before verify", "retire before the overlap is over",
          "proof without a dead canary", "a stale epoch is accepted", "close leaves the escrow")  # fmt: skip


def tell(examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)) -> Counter[str]:
    """Plays so many stories of so many steps; gives how they ended."""

    class Counted(Rotations):
        ends: ClassVar[Counter[str]] = Counter()

    how = settings(COMMON, max_examples=examples, stateful_step_count=steps, phases=phases)
    run_state_machine_as_test(Counted, settings=how)
    print(f"{sum(Counted.ends.values())} stories to their end: {dict(sorted(Counted.ends.items()))}")
    return Counted.ends


@pytest.mark.timeout(300)
def test_no_story_breaks_an_invariant() -> None:
    """Six hundred stories of forty steps: none breaks an invariant, and they end in many ways."""
    ends = tell(600, 40)
    assert {"done", "held", "abandoned", "unproven"} <= set(ends), "the stories are too tame to mean anything"


@pytest.mark.exhaustive
@pytest.mark.timeout(6 * 3600)
def test_no_long_story_breaks_an_invariant() -> None:
    """Five thousand stories of eighty steps."""
    assert tell(5000, 80)["done"] > 0


@pytest.mark.parametrize("name", CAUGHT)
def test_a_story_catches_a_planted_mistake(name: str, tmp_path: Path) -> None:
    """The same stories fail on a copy of the saga that has a mistake of the protocol in it."""
    mutant: Mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    plant(mutant, tmp_path)
    (tmp_path / "tests/crash").mkdir()
    for file in ("__init__.py", "machine.py", "test_property.py"):
        shutil.copy(ROOT / "tests/crash" / file, tmp_path / "tests/crash" / file)
    play = "from tests.crash.test_property import tell, Phase; tell(300, 40, (Phase.generate,))"
    ran = subprocess.run([sys.executable, "-c", play], cwd=tmp_path, capture_output=True, text=True, check=False,
                         env={**os.environ, "PYTHONPATH": str(tmp_path)}, timeout=100)  # fmt: skip
    words = ("tests.model.rules.Violation", "rotator.domain.errors.InvariantBroken", "AssertionError")
    assert ran.returncode == 1, ran.stdout
    assert any(line.startswith(words) for line in ran.stderr.splitlines()), ran.stderr[-500:]


# --- stories that Hypothesis found: kept, with the mistake that each revealed --------------------


@pytest.mark.parametrize("fault", ["crash-after", "applied", ("crash-late", 30), ("late", 4)])
def test_an_abandon_that_dies_after_its_write_still_waits_for_the_readers(fault: Any) -> None:
    """The old pair was written back and nobody noted it: readers of the new pair get their time all the same."""
    for n in range(1, 20):
        m = Rotations()
        m.begin("rotated not accepted", 5, strangers=False)  # the overlap comes before promote: time to abandon
        m.process()
        assert m.w.row.state == "overlap"
        m.an_operator_abandons(now=False)
        m.process([(n, fault)])
        m.teardown()  # raises Violation where the new pair dies too early
        assert m.w.row.state == "abandoned", n


def test_a_force_that_is_forbidden_to_look_does_not_leave_the_escrow_behind() -> None:
    """A clear no at the first look of a force: held, for what its parent had begun still stands."""
    m = Rotations()
    m.begin("default", 5, strangers=False)
    m.process()
    assert m.w.escrow, "the first rotation is under way"
    m.an_operator_forces()
    m.process([(3, "forbidden")])
    assert m.w.row.state is State.HELD
    m.an_operator_releases(discard=False)
    m.teardown()
    assert run_to_end(m.w) is State.DONE


@pytest.mark.parametrize("act", ["admin stages", "admin stages and promotes", "stranger writes live"])
@pytest.mark.parametrize("calls", [12, 20, 30])
def test_what_is_held_before_the_pivot_can_be_abandoned(act: str, calls: int) -> None:
    """A person who saw it held gets out: what is ours is taken away, what the stranger made is left as it is."""
    m = Rotations()
    m.begin("default", 5, strangers=True)
    m.process([(calls, act)])
    if m.w.row.state is not State.HELD:  # the act came after the pivot, or did not matter
        return m.teardown()
    live, primary, theirs = m.w.live[m.w.live_number].pair, m.w.primary, {e for e in m.w.slot if e.author == THEM}
    m.an_operator_abandons(now=False)
    assert run_to_end(m.w) is State.ABANDONED
    assert (m.w.live[m.w.live_number].pair, m.w.primary) == (live, primary)
    assert theirs <= set(m.w.slot)
    assert not any(entry.pair.key in m.w.minted for entry in m.w.slot)
    m.what_has_ended_leaves_no_escrow()


@pytest.mark.parametrize("world", ["neither accepted", "unknown, staged not"])
def test_what_is_held_for_a_missing_fact_can_be_abandoned(world: str) -> None:
    """Nobody has to state a fact only to get rid of a rotation."""
    m = Rotations()
    m.begin(world, 5, strangers=False)
    assert finish(m.w) is State.HELD
    m.an_operator_abandons(now=False)
    assert finish(m.w) is State.ABANDONED
