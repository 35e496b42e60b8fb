"""Exit codes and documents, for every state a rotation may be left in."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from rotator.domain.errors import ConfigError, LeaseTaken, Mistake, Refused, UsageError
from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Rotation
from rotator.domain.words import Claim, State
from rotator.wiring import told
from rotator.wiring.errand import Until, rests

ROW = Rotation("r1", "billing", "acme", Consumer("00D", "0xI", "888"), Target("p", "k", "s", "https://x", "billing"))


def row(state: State, reason: str = "") -> Rotation:
    """A rotation in this state."""
    return Rotation(**{**{name: getattr(ROW, name) for name in ROW.__slots__}, "state": state, "reason": reason})


@pytest.mark.parametrize(
    ("state", "until", "code"),
    [
        (State.DONE, Until.DONE, 0), (State.OVERLAP, Until.OVERLAP, 0), (State.OVERLAP, Until.DONE, 75),
        (State.RUNNING, Until.OVERLAP, 75), (State.WAITING, Until.OVERLAP, 75), (State.HELD, Until.OVERLAP, 3),
        (State.UNPROVEN, Until.DONE, 3), (State.FAILED, Until.DONE, 1), (State.ABANDONED, Until.DONE, 1),
    ],
)  # fmt: skip
def test_each_state_has_its_exit_code(state: State, until: Until, code: int) -> None:
    """The contract's codes; `abandoned` is what `abandon` wanted, and what a dry run ends with."""
    assert told.code_of(row(state), until) == code
    assert told.code_of(row(State.ABANDONED), until, undoes=True) == 0
    assert told.code_of(row(State.ABANDONED, "dry_run"), until) == 0


def test_of_several_codes_the_gravest_counts() -> None:
    """2, 3, 1, 75, 0: the first that occurs, in whatever order they come."""
    for given in permutations((0, 75, 1, 3, 2)):
        for kept, wanted in (((0, 75, 1, 3, 2), 2), ((0, 75, 1, 3), 3), ((0, 75, 1), 1), ((0, 75), 75), ((0,), 0)):
            assert told.first_of(code for code in given if code in kept) == wanted
    assert told.first_of(()) == 0


def test_a_command_leaves_what_rests() -> None:
    """Ended, held, unproven and waiting always; an overlap only where the command goes no further."""
    resting = {state for state in State if rests(row(state), Until.DONE)}
    assert resting == set(State) - {State.RUNNING, State.OVERLAP}
    assert rests(row(State.OVERLAP), Until.OVERLAP)


def test_claims_that_were_never_asked_say_so() -> None:
    """Open: unknown. Undone: not asked. Done: as proven."""
    assert set(told.claims(row(State.RUNNING)).values()) == {"unknown"}
    assert set(told.claims(row(State.FAILED)).values()) == {"not_asked"}
    proven = Rotation(**{**{n: getattr(ROW, n) for n in ROW.__slots__}, "claims": {"refused": Claim.PROVEN}})
    assert told.claims(proven)["refused"] == "proven"


def test_times_are_utc_and_absent_is_null() -> None:
    """RFC 3339 with a Z; what is not there is null, never an empty text."""
    assert told.moment(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)) == "2026-11-24T09:00:00.000000Z"
    empty = told.rotation(ROW)
    assert [name for name, value in empty.items() if value == ""] == []
    assert (empty["parent_id"], empty["ended_at"], empty["vault_version"]) == (None, None, None)


def test_an_error_names_where_and_what_next() -> None:
    """One entry per mistake of a configuration, one for any other error; exit codes by class."""
    first = Mistake("a.toml", 3, "apps.x.org", "is missing", 'org = "acme"')
    mistakes = (first, Mistake("a.toml", None, "", "is not TOML"))
    document = told.failure(ConfigError("2 mistakes", mistakes=mistakes))
    errors = document["errors"]
    assert isinstance(errors, list)
    assert [error["where"] for error in errors] == ["a.toml:3: apps.x.org", "a.toml"]
    assert [bool(error["fix"]) for error in errors] == [True, True]
    codes = [told.failure(error)["exit"] for error in (UsageError("x"), Refused("x"), LeaseTaken("x"))]
    assert codes == [2, 1, 75]
