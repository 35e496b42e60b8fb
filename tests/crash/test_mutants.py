"""A checker that cannot fail is worth nothing: every planted mistake of the protocol is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model.mutants import MORE, MUTANTS, Mutant, try_mutant


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_planted_mistake_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    """The checker sees this mistake, by an invariant and not by a broken program."""
    said = try_mutant(mutant, tmp_path)
    print(f"{mutant.name}: {said}")
    assert said, f"the checker does not see: {mutant.name}"
    assert not said.startswith("did not run"), said


@pytest.mark.exhaustive
@pytest.mark.timeout(400)
@pytest.mark.parametrize("mutant", MORE, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_further_planted_mistake_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    """The same of those that say little beside the others."""
    test_a_planted_mistake_is_caught(mutant, tmp_path)
    assert mutant.name not in {one.name for one in MUTANTS}
