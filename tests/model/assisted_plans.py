"""Which fault, act and mistake come when, for classic connected apps: all singles, or a seeded sample.

    python -m tests.model.assisted_plans            the sample of `make check`, counts printed
    python -m tests.model.assisted_plans --full     more of everything (`make crash`)
"""

from __future__ import annotations

import itertools
import random
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from rotator.domain.errors import InvariantBroken
from tests.model.assisted import ACTS, MISTAKES, WORLDS, Setup, assisted
from tests.model.plans import FAULTS, SEED, Plan
from tests.model.rules import Violation


class Job(NamedTuple):
    """One mistake (or none) in one world; how many plans with an event, and with two."""

    mistake: str
    world: str
    singles: int
    doubles: int


class Found(NamedTuple):
    """What exploring a job gave."""

    job: Job
    ends: Counter[str]
    text: str


def jobs(full: bool = False) -> Iterator[Job]:
    """Samples, most of them of the default world; in full: every single event everywhere, and more doubles."""
    for mistake, world in itertools.product(("", *MISTAKES), WORLDS):
        plain = mistake == "" and world == "default"
        few = 500 if plain else 60 if world == "default" else 30 if mistake == "" else 4
        yield Job(mistake, world, -1 if full else few, few * (10 if full else 1))


def plans(job: Job, horizon: int) -> Iterator[Plan]:
    """The undisturbed plan, one event, and two."""
    rng, calls = random.Random(f"{SEED}:{job.mistake}:{job.world}"), range(1, horizon + 1)
    yield {}, {}
    faults: list[Plan] = [({n: fault}, {}) for n, fault in itertools.product(calls, FAULTS)]
    acts: list[Plan] = [({}, {n: act}) for n, act in itertools.product(calls, ACTS)]
    singles = faults + acts
    yield from singles if job.singles < 0 else rng.sample(singles, min(job.singles, len(singles)))
    for _ in range(job.doubles):
        one, other = rng.choice(singles), rng.choice(singles)
        yield {**one[0], **other[0]}, {**one[1], **other[1]}


def attempt(job: Job, plan: Plan) -> tuple[str, str, Setup]:
    """How it ended, or what was violated."""
    about: dict[str, Any] = {k: v.copy() if isinstance(v, dict) else v for k, v in WORLDS[job.world].items()}
    w = Setup(faults=dict(plan[0]), acts=dict(plan[1]), mistake=job.mistake, **about)
    try:
        return assisted(w), "", w
    except (Violation, InvariantBroken, AttributeError, TypeError, LookupError, AssertionError) as error:
        return "", f"{type(error).__name__}: {error}", w


def explore(job: Job) -> Found:
    """Every plan of a job; stops at the first violation."""
    ends, horizon = Counter[str](), attempt(job, ({}, {}))[2].calls
    for plan in plans(job, horizon):
        end, text, w = attempt(job, plan)
        if text:
            trail = "\n".join(f"    {entry}" for entry in w.trail[-14:])
            row = w.rows[-1] if w.rows else None
            story = f"{text}\n  {job}, plan {plan}, stopped at call {w.calls}\n{trail}\n  {row}"
            return Found(job, ends, story)
        ends[end] += 1
    return Found(job, ends, "")


def main() -> int:
    """Prints a line for each job. Exit 1 on a violation."""
    bad = 0
    for job in jobs("--full" in sys.argv):
        found = explore(job)
        bad += bool(found.text)
        ends = dict(found.ends)
        print(f"{job.mistake or 'as asked':16}{job.world:26}{sum(ends.values()):7}  {ends}", flush=True)
        print(found.text, end="\n" if found.text else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
