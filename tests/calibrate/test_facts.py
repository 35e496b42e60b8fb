"""Facts have one table, and nobody reads one that neither the configuration nor a calibration could give."""

from __future__ import annotations

import ast
import itertools

from rotator.checks.calibrate.consequences import LISTED, consequences
from rotator.checks.calibrate.experiments import EXPERIMENTS
from rotator.config.org import FactsConfig
from rotator.domain.facts import FACTS, FactKind, Facts
from tests.project.files import python_files, tree

READERS = ("yes", "no", "tri", "unknown", "learn")


def read_by_name() -> dict[str, str]:
    """Every fact that the product asks for by its name in `facts.yes("...")` and the like, with the file."""
    found: dict[str, str] = {}
    for path in python_files("rotator"):
        if path.parts[1] == "simulator":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READERS:
                words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                owner = ast.unparse(node.func.value)
                found |= {word: str(path) for word in words[:1] if owner.split(".")[-1] == "facts"}
    return found


def test_every_fact_that_the_policies_read_can_be_stated_and_can_be_found() -> None:
    """Traced to `[orgs.X.facts]` and to an experiment of `calibrate`, by its one name."""
    asked = read_by_name()
    assert {"staged_pair_accepted", "rotated_pair_accepted", "stage_while_blocked"} <= set(asked)
    assert set(asked) <= set(FACTS)
    assert set(asked) <= set(FactsConfig.model_fields)
    assert set(asked) <= set(EXPERIMENTS)


def test_every_fact_can_be_stated_in_the_configuration() -> None:
    """The table of the configuration is made of the one table of facts."""
    assert set(FactsConfig.model_fields) == set(FACTS)


def answers(**values: str) -> dict[str, str]:
    """The answers, by question."""
    return {one.question: one.answer for one in consequences(Facts(values))}


def test_a_force_can_prove_tokens_dead_where_the_pair_or_a_lever_takes_them_along() -> None:
    """Yes, no and unknown, each where it belongs."""
    question = "force will be able to prove tokens dead"
    none = dict.fromkeys([*LISTED, *LISTED.values(), "tokens_die_with_pair"], "no")
    assert answers(**none)[question] == "no"
    assert answers(**{**none, "tokens_die_with_pair": "yes"})[question] == "yes"
    assert answers(**{**none, "tokens_listed_usage": "yes", "lever_usage_ends": "yes"})[question] == "yes"
    assert answers(**{**none, "tokens_listed_usage": "yes"})[question] == "no"
    assert answers(**{**none, "tokens_listed_usage": "yes", "lever_usage_ends": "unknown"})[question] == "unknown"
    assert answers()[question] == "unknown"


def test_the_order_of_a_rotation_follows_the_facts() -> None:
    """Publish first, promote first, or no order at all."""
    question = "rotations change pairs without an outage"
    for staged, rotated in itertools.product(("yes", "no"), repeat=2):
        expected = "no" if (staged, rotated) == ("no", "no") else "yes"
        assert answers(staged_pair_accepted=staged, rotated_pair_accepted=rotated)[question] == expected
    assert answers(rotated_pair_accepted="yes")[question] == "unknown"


def test_consequences_are_told_whatever_is_known() -> None:
    """Every value of every yes-or-no fact, alone: no question is left out, no answer is empty."""
    for name, (kind, _) in FACTS.items():
        for value in ("yes", "no", "unknown") if kind is FactKind.YES_NO else ("5m",):
            assert all(answers(**{name: value}).values())
            assert len(answers(**{name: value})) == len(answers())
