"""Rotators as real processes: killed around every remote call and every commit, frozen past their lease.

After each death the next process must bring the rotation to its end: invariant 1 never broken, no row missing that was
told to be committed, published exactly once, nothing left behind.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rotator.adapters.sql.verify import verify
from tests.crash.support import filled
from tests.crash.support_faults import changes
from tests.crash.support_process import Crew, Place, crew, sqlite_crew, until
from tests.crash.support_verdict import (
    beside_anchors,
    intents_first_by_time,
    no_outage,
    open_at_death,
    published,
    rotated,
    silent,
    stands,
    untouched,
)
from tests.servers.postgres import RealPostgres

SEED = 20
WHEN = ("before", "after")
NO_STEPS = ("request", "lease", "force")  # rows of the trail that leave the rotation where it was
REQUESTS, COMMITS = range(1, 62), range(1, 48)  # a test compares them with an undisturbed rotation


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with sqlite_crew(tmp_path_factory.mktemp("kill")) as made:
        yield made


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory, real_postgres: RealPostgres) -> Iterator[Crew]:
    lock = threading.Lock()

    def url(_: Path) -> str:
        with lock:
            return real_postgres.clone("kill", filled)

    with crew(tmp_path_factory.mktemp("kill"), url) as made:
        yield made


# --- the cases -----------------------------------------------------------------------------------------------------


def killed_at_request(place: Place, n: int, when: str, lands: bool = False) -> str:
    """SIGKILL while the n-th request waits in the far side, before or after its effect (or in flight: it lands)."""
    place.door.post("/pause", {"when": when, "nth": n, "lands": lands})
    one = place.start()
    until(lambda: paused(place) != "armed" or one.look() == "ended", "nobody came to the pause")
    reached = paused(place) == "paused"
    if reached:
        one.killed()
    else:
        one.wait()
    place.door.delete("/pause")  # the verdict asks the far side too
    if reached:
        after_death(place)
        open_at_death(place.history()[n - 1], place.trail())
        resume(place)
    judge(place)
    return "killed" if reached else "not reached"


def killed_at_commit(place: Place, n: int, when: str) -> str:
    """SIGKILL by itself, right before COMMIT is sent or right after it was answered."""
    code = place.start(commit=n, when=when, signal=signal.SIGKILL).wait()
    if code == -signal.SIGKILL:
        after_death(place, exactly=when == "before")
        resume(place)
    judge(place)
    return "killed" if code == -signal.SIGKILL else "not reached"


def frozen_at_commit(place: Place, n: int) -> str:
    """SIGSTOP after a commit, until another has finished the rotation; then the first goes on, and changes nothing."""
    first = place.start(commit=n, when="after", signal=signal.SIGSTOP)
    until(lambda: first.look() != "runs", "it does not stop")
    if first.look() == "ended":
        return "not reached"
    intent, begun = place.trail()[-1], place.begun()
    if begun and place.rotation().ended:  # waits are counted in commits too: this time it was faster
        first.send(signal.SIGCONT)
        first.wait()
        judge(place)
        return "ended"
    place.finish()
    rows, requests = len(place.trail()), place.history()[-1]["n"]
    first.send(signal.SIGCONT)
    code = first.wait()
    later = [one for one in place.history() if one["n"] > requests]
    if not begun:  # it may rotate once more: nothing was open when it looked
        return "not begun"
    assert not list(filter(changes, later)), (intent, [one["purpose"] for one in later])
    assert len(place.trail()) == rows, "a stale worker wrote a row"
    assert code == (75 if intent["phase"] == "intent" else code), place.said(0)
    judge(place)
    return f"{intent['step']} {intent['phase']}: {code}"


def frozen_in_flight(place: Place, purpose: str) -> str:
    """SIGSTOP while its request waits before its effect; it lands when another has finished the rotation."""
    place.door.post("/pause", {"when": "before", "match": {"purpose": purpose}, "nth": 1})
    first = place.start()
    until(lambda: paused(place) == "paused", "nobody came to the pause")
    first.send(signal.SIGSTOP)
    until(lambda: first.look() == "stopped", "it does not stop")
    place.finish()
    row, rows = place.rotation(), len(place.trail())
    first.send(signal.SIGCONT)
    place.door.post("/resume", {})
    assert first.wait() == 75, place.said(0)
    assert len(place.trail()) == rows, "a stale worker wrote a row"
    no_outage(place)
    assert published(place) == [place.billing["client_id"], row.new_key]
    left = place.door.get("/truth")["acme"]["billing"]["consumers"][0]["slot"]
    if purpose != "stage":  # a late POST cannot be fenced: it leaves a pair that nobody owns (protocol section 4)
        stands(place, row.new_key)
    return f"{purpose}: {len(left)} left in the slot"


def frozen_in_publish(place: Place) -> str:
    """SIGSTOP while the write to the live path waits; an operator abandons; then the write lands: it must fail."""
    path = {"method": "POST", "path": f"data/{place.target.path}"}
    place.door.post("/pause", {"when": "before", "match": path, "nth": 1})
    first = place.start()
    until(lambda: paused(place) == "paused", "nobody came to the pause")
    first.send(signal.SIGSTOP)
    until(lambda: first.look() == "stopped", "it does not stop")
    assert place.start("abandon", "billing").wait() == 0, place.said(1)
    first.send(signal.SIGCONT)
    place.door.post("/resume", {})
    first.wait()
    no_outage(place)
    untouched(place)
    return str(place.rotation().state)


def resume(place: Place) -> None:
    """The next start; none where the last word had been written."""
    if not (place.begun() and place.rotation().ended):
        place.finish()


def paused(place: Place) -> str:
    return str(place.door.get("/paused")[0]["state"])


def after_death(place: Place, *, exactly: bool = False) -> None:
    """No row is missing that a process was told to be committed; the chain is whole."""
    known, trail = place.acknowledged(), place.trail()
    last = trail[-1]["seq"] if trail else 0
    assert last >= known, f"row {known} was acknowledged, and the trail ends at {last}"
    assert not exactly or last == known, "a row was committed before COMMIT was sent"
    if place.begun():
        one_story(place, trail)


def one_story(place: Place, trail: list[dict[str, Any]]) -> None:
    """What the mutable rows say is what the trail says: both came with the same COMMIT."""
    row, still, trail = place.rotation(), list[str](), beside_anchors(trail)
    told = [event["step"] for event in trail if event["rotation_id"] == row.id and event["step"] not in NO_STEPS]
    assert row.step == (told[-1] if told else "stage"), f"the row is at {row.step}, and the trail ends with {told[-2:]}"
    for event in trail:
        still = [*still, event["step"]] if event["phase"] == "intent" else [] if event["phase"] == "outcome" else still
    assert place.open_intents() == still, "the open intents are not those of the trail"


def judge(place: Place) -> None:
    """Every promise, at the end."""
    no_outage(place)
    row, trail = place.rotation(), place.trail()
    rotated(place, row)
    intents_first_by_time(place.history(), trail)
    if place.url.startswith("sqlite"):
        silent(place, place.folder, but=("secret-id",))
    with place.database() as database:
        assert verify(database).rows >= place.acknowledged()


# --- the tests -----------------------------------------------------------------------------------------------------


def test_the_ranges_are_those_of_a_rotation(on_sqlite: Crew) -> None:
    """An undisturbed rotation makes about as many requests and commits as the tests below kill at."""
    place = on_sqlite.place()
    assert place.start().wait() == 0, place.said(0)
    requests, commits = len(place.history()), place.commits()
    judge(place)
    assert abs(requests - len(REQUESTS)) <= 6
    assert abs(commits - len(COMMITS)) <= 3


@pytest.mark.timeout(600)
def test_a_death_at_any_request_is_survived(on_sqlite: Crew) -> None:
    """Every remote call once, before and after its effect in turn; a third of those before land after the death."""
    cases = [(n, WHEN[n % 2], n % 6 == 0) for n in REQUESTS]
    said = on_sqlite.all(cases, killed_at_request)
    assert said.count("killed") >= len(cases) - 8, said


@pytest.mark.timeout(600)
def test_a_death_at_any_commit_is_survived(on_sqlite: Crew) -> None:
    """Every commit once, before and after it in turn."""
    said = on_sqlite.all([(n, WHEN[n % 2]) for n in COMMITS], killed_at_commit)
    assert said.count("killed") >= len(COMMITS) - 4, said


@pytest.mark.timeout(600)
def test_deaths_on_postgresql_are_survived(on_postgres: Crew) -> None:
    """A seeded sample of both sorts."""
    rng = random.Random(SEED)
    calls = [(n, rng.choice(WHEN), rng.random() < 0.3) for n in rng.sample(REQUESTS, 5)]
    said = on_postgres.all(calls, killed_at_request)
    said += on_postgres.all([(n, rng.choice(WHEN)) for n in rng.sample(COMMITS, 5)], killed_at_commit)
    assert said.count("killed") >= 8, said


@pytest.mark.timeout(300)
def test_a_frozen_worker_that_wakes_changes_nothing(on_sqlite: Crew) -> None:
    """Stopped right after the commit of each intent, before its call; another takes over the lease and finishes."""
    place = on_sqlite.place()
    assert place.start().wait() == 0, place.said(0)
    intents = [row["seq"] for row in place.trail() if row["phase"] == "intent"]
    left, said = [(place.commit_of(seq),) for seq in intents], list[str]()
    for _ in range(4):  # a wait more or less shifts a commit off its intent: such a case is played again
        told = on_sqlite.all(left, frozen_at_commit)
        said += told
        left = [case for case, text in zip(left, told, strict=True) if not text.endswith("intent: 75")]
    assert sum(text.endswith("intent: 75") for text in said) >= 8, said


@pytest.mark.timeout(300)
def test_a_call_of_a_frozen_worker_lands_when_all_is_over(on_sqlite: Crew) -> None:
    """It hits nothing: the slot entry is gone, check-and-set fails, versions are destroyed already."""
    purposes = ("stage", "kv write", "promote", "delete slot", "end usage tokens", "kv destroy")
    assert len(on_sqlite.all([(purpose,) for purpose in purposes], frozen_in_flight)) == len(purposes)


def test_a_publish_that_lands_after_an_abandon_is_fenced_off(on_sqlite: Crew) -> None:
    """The live path was rewritten before the new pair was discarded: the late check-and-set fails."""
    assert on_sqlite.all([()], frozen_in_publish) == ["abandoned"]


def test_the_first_start_of_all_can_die_while_it_makes_the_database(on_sqlite: Crew) -> None:
    """Killed before and after the commit that makes the tables: the next start makes them, or finds them whole."""
    for when in WHEN:
        place = on_sqlite.place()
        os.remove(place.folder / "rotator.db")
        assert place.start(commit=1, when=when, signal=signal.SIGKILL).wait() == -signal.SIGKILL
        place.finish()
        judge(place)


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("database", ["on_sqlite", pytest.param("on_postgres", marks=pytest.mark.needs("postgres"))])
def test_every_death_on_both_databases(database: str, request: pytest.FixtureRequest) -> None:
    """Before and after every call (landing or not) and every commit, and frozen after each commit."""
    here: Crew = request.getfixturevalue(database)
    ways = (("before", False), ("before", True), ("after", False))
    said = here.all([(n, *way) for n in REQUESTS for way in ways], killed_at_request)
    said += here.all([(n, when) for n in COMMITS for when in WHEN], killed_at_commit)
    said += here.all([(n,) for n in COMMITS], frozen_at_commit)
    assert said.count("killed") > len(REQUESTS)
