"""Forced rotations with --block-first as real processes, killed around their remote calls and commits.

Whoever comes next, with the same order, must bring it to its end: proven, the app on again, the old pair never accepted
behind the last unblock. Whether the org stages while blocked is nothing that the rotator knows before.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from rotator.domain.words import CLAIMS, Claim, State
from tests.crash.support_process import Crew, Place, sqlite_crew, until
from tests.crash.support_verdict import intents_first_by_time, open_at_death, silent, stands
from tests.crash.test_kill import after_death, paused

ORDER = ("force", "billing", "--block-first", "--reason", "key in a log", "--ticket", "INC-7")
STAGES = ("yes", "no")  # while blocked
REQUESTS, COMMITS = range(1, 140), range(1, 60)  # a test compares them with an undisturbed one
WHEN = ("before", "after")


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with sqlite_crew(tmp_path_factory.mktemp("block")) as made:
        yield made


def ready(place: Place, stages: str) -> None:
    place.door.post("/facts", {"stage_while_blocked": stages})


def killed_at_request(place: Place, stages: str, n: int, when: str) -> str:
    """SIGKILL while the n-th request waits in the far side, before or after its effect."""
    ready(place, stages)
    place.door.post("/pause", {"when": when, "nth": n})
    one = place.start(*ORDER)
    until(lambda: paused(place) != "armed" or one.look() == "ended", "nobody came to the pause")
    reached = paused(place) == "paused"
    if reached:
        one.killed()
    else:
        one.wait()
    place.door.delete("/pause")
    if reached:
        after_death(place)
        open_at_death(place.history()[n - 1], place.trail())
    finish(place)
    judge(place)
    return "killed" if reached else "not reached"


def killed_at_commit(place: Place, stages: str, n: int, when: str) -> str:
    """SIGKILL by itself, right before COMMIT is sent or right after it was answered."""
    ready(place, stages)
    code = place.start(*ORDER, commit=n, when=when, signal=signal.SIGKILL).wait()
    if code == -signal.SIGKILL:
        after_death(place, exactly=when == "before")
    finish(place)
    judge(place)
    return "killed" if code == -signal.SIGKILL else "not reached"


def finish(place: Place) -> None:
    """The same order again, until it says that it is done."""
    for _ in range(6):
        if place.begun() and place.rotation().ended:
            return
        place.start(*ORDER).wait()
    assert place.rotation().ended, place.said(len(place.started) - 1)[-3000:]


def judge(place: Place) -> None:
    """Every promise, at the end."""
    row = place.rotation()
    assert row.state is State.DONE, f"{row.state} {row.reason}: {row.message}"
    assert row.claims == dict.fromkeys(CLAIMS, Claim.PROVEN)
    broken = [one for one in place.door.get("/invariants")["violations"] if one["what"] != "promised"]
    assert not broken, "a force promises readers of the old pair nothing, and serves the live path all the same"
    stands(place, row.new_key)
    truth = place.door.get("/truth")["acme"]["billing"]
    assert truth["oauth_plugin_enabled"], "done, and the app is blocked"
    alive = [pair for pair in truth["consumers"][0]["gone"] if pair["accepted"] or pair["tokens"]]
    assert not alive, "done, and an old pair or a token of one lives"
    intents_first_by_time(place.history(), place.trail())
    behind_the_block(place)
    silent(place, place.folder, but=("secret-id", "anchors"))


def behind_the_block(place: Place) -> None:
    """Published, promoted and retired while the app was blocked."""
    blocked = False
    for request in place.history():
        blocked = {"block": True, "unblock": False}.get(request["effect"], blocked)
        assert blocked or request["effect"] not in ("rotate", "delete"), "promoted or retired with the app on"


def test_an_undisturbed_one_is_as_long_as_the_ranges(hands: Crew) -> None:
    """Both ways of the org; the kills below reach to the end."""
    for stages in STAGES:
        place = hands.place()
        ready(place, stages)
        assert place.start(*ORDER).wait() == 0, place.said(0)
        judge(place)
        assert abs(len(place.history()) - len(REQUESTS)) <= 16, len(place.history())
        assert abs(place.commits() - len(COMMITS)) <= 12, place.commits()


@pytest.mark.timeout(600)
def test_a_death_while_the_app_is_blocked_is_survived(hands: Crew) -> None:
    """Every thirteenth request and commit, before or after it, the org staging while blocked or not in turn."""
    calls = [(STAGES[n % 2], n, WHEN[n // 26 % 2]) for n in REQUESTS[4::13]]
    commits = [(STAGES[n % 2], n, WHEN[n // 26 % 2]) for n in COMMITS[3::13]]
    said = hands.all(calls, killed_at_request) + hands.all(commits, killed_at_commit)
    assert said.count("killed") >= len(said) - 3, said


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
def test_every_death_of_a_force_that_blocks_first(hands: Crew) -> None:
    """Before and after every request and every commit, both ways of the org."""
    calls = [(stages, n, when) for stages in STAGES for n in REQUESTS for when in WHEN]
    commits = [(stages, n, when) for stages in STAGES for n in COMMITS for when in WHEN]
    said = hands.all(calls, killed_at_request) + hands.all(commits, killed_at_commit)
    assert said.count("killed") >= len(said) * 3 // 4, said
