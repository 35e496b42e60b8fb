"""Which fault or act comes at which call: all singles, doubles in full or as a seeded sample, in every world.

    python -m tests.model.plans                 the sample of `make check`, counts printed
    python -m tests.model.plans --full          all doubles in the default world too (`make crash`)
    python -m tests.model.plans --scene NAME    one scene

Exit 1 and a smallest plan on a violation.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from typing import Any, NamedTuple

from rotator.domain.errors import InvariantBroken
from rotator.domain.facts import Facts
from rotator.domain.pair import SlotState
from rotator.domain.rotation import Rotation
from rotator.domain.words import State
from tests.model.calls import ACCEPTING, CONSUMER, TARGET, Entry, Truth, pair
from tests.model.rules import Violation
from tests.model.scenes import OPERATOR, SCENES
from tests.model.strangers import ATTACKER, FOREIGN
from tests.model.world import World

SEED = 20
DELAYS = (1, 4, 30)
FAULTS: tuple[Any, ...] = (
    "crash-before", "crash-after", "lost", "applied", "garbled", "unclear",
    *(("late", d) for d in DELAYS), *(("crash-late", d) for d in DELAYS),
)  # fmt: skip
ACTED = ("operator", "operator, block-first", "foreign", "foreign, force", "foreign, block-first, force")
# Mostly what others show as well: fewer plans each. Of the first, all singles in the default world.
BESIDE = ("block-first", "stay-blocked", "operator, block-first", "foreign, block-first, force")
Plan = tuple[dict[int, Any], dict[int, str]]  # faults and acts, each by number of the call
UNKNOWN = Facts({})
NO_STAGE = Facts({**ACCEPTING.values, "stage_while_blocked": "no"})
NOT_STAGED = Facts({"staged_pair_accepted": "no", "rotated_pair_accepted": "yes"})
NOT_ROTATED = Facts({"staged_pair_accepted": "yes", "rotated_pair_accepted": "no"})
NEITHER = Facts({"staged_pair_accepted": "no", "rotated_pair_accepted": "no"})
CLOSED = Rotation("r0", "billing", "acme", CONSUMER, TARGET, state=State.DONE, number=1, old_keys=("key-1",))

WORLDS: dict[str, dict[str, Any]] = {
    "default": {},
    "staged not accepted": {"truth": Truth(staged_pair_accepted=False), "known": NOT_STAGED},
    "rotated not accepted": {"truth": Truth(rotated_pair_accepted=False), "known": NOT_ROTATED},
    "neither accepted": {"truth": Truth(staged_pair_accepted=False, rotated_pair_accepted=False), "known": NEITHER},
    "secret not readable": {"truth": Truth(secret_readable_again=False)},
    "author not given": {"truth": Truth(created_by_given=False)},
    "tokens outlive the pair": {"truth": Truth(tokens_die_with_pair=False)},
    "... and are not listed": {"truth": Truth(tokens_die_with_pair=False, tokens_listed=False)},
    "a listing hides one": {"truth": Truth(tokens_die_with_pair=False, one_hidden=True)},
    "deletion flaps": {"truth": Truth(delete_slow=False, delete_flaps=True, tokens_die_with_pair=False)},
    "destroy not allowed": {"truth": Truth(may_destroy=False)},
    "slot id survives": {"truth": Truth(slot_id_survives_rotate=True)},
    "new pair slow": {"truth": Truth(new_pair_slow=True)},
    "facts unknown": {"known": UNKNOWN},
    "unknown, staged not": {"truth": Truth(staged_pair_accepted=False), "known": UNKNOWN},
    "unknown, rotated not": {"truth": Truth(rotated_pair_accepted=False), "known": UNKNOWN},
    "nothing staged while blocked": {"truth": Truth(stage_while_blocked=False)},
    "... and that is known": {"truth": Truth(stage_while_blocked=False), "known": NO_STAGE},
    "live path absent": {"live": {}, "live_number": 0},
    "sessions kept": {"sessions": False},
    "no overlap": {"overlap": timedelta(0)},
    "leftover in the slot": {"slot": [Entry("id-1", pair(-1), SlotState.ROTATED, "")], "rows": [CLOSED]},
}


class Job(NamedTuple):
    """One scene in one world; how many plans with one event and with two, -1 for all of them; which part of them."""

    scene: str
    world: str
    singles: int
    sample: int
    part: int = 0
    parts: int = 1


def plans(job: Job, horizon: int) -> Iterator[Plan]:
    """The undisturbed plan, plans with one event (all, or `job.singles` of them), plans with two."""
    rng, calls = random.Random(SEED), range(1, horizon)
    yield {}, {}
    singles = list(_singles(job.scene, calls))
    yield from singles if job.singles < 0 else rng.sample(singles, min(job.singles, len(singles)))
    if job.scene.startswith("frozen"):
        yield from _dying(job.sample, rng, calls)
    elif job.scene == "attacked":
        yield from _attacked(job.sample, rng, calls)
    elif job.scene in ACTED:
        yield from _acted(job, rng, calls, horizon)
    else:
        yield from _doubles(calls) if job.sample < 0 else _sampled(job.sample, rng, calls)


def _singles(scene: str, calls: range) -> Iterator[Plan]:
    if scene.startswith("frozen"):
        kinds = ("frozen", "frozen-next", "frozen-abandon", "frozen-force")
        yield from (({n: kind}, {}) for n, kind in itertools.product(calls, kinds))
    elif scene == "attacked":
        yield from (({}, {n: "force"}) for n in calls)
    elif scene in ACTED:
        acts = OPERATOR if scene.startswith("operator") else FOREIGN
        yield from (({}, {n: act}) for n, act in itertools.product(calls, acts))
    else:
        yield from (({n: fault}, {}) for n, fault in itertools.product(calls, FAULTS))


def _doubles(calls: range) -> Iterator[Plan]:
    for first, second in itertools.combinations(calls, 2):
        yield from (({first: a, second: b}, {}) for a, b in itertools.product(FAULTS, FAULTS))


def _sampled(count: int, rng: random.Random, calls: range) -> Iterator[Plan]:
    for _ in range(count):
        yield {n: rng.choice(FAULTS) for n in rng.sample(calls, 2)}, {}


def _dying(count: int, rng: random.Random, calls: range) -> Iterator[Plan]:
    for _ in range(count):
        n, act = rng.choice(calls), rng.choice(("", "", "abandon", "force"))
        yield {n: ("frozen-dies", rng.randrange(1, 80))}, {n + rng.randrange(1, 9): act} if act else {}


def _attacked(count: int, rng: random.Random, calls: range) -> Iterator[Plan]:
    """A force somewhere in a routine rotation, then the thief or another force; in every third plan a call fails."""
    for _ in range(count):
        n = rng.choice(calls)
        acts = {n: "force", n + rng.randrange(1, 90): rng.choice(ATTACKER)}
        faults = {n + rng.randrange(1, 90): rng.choice(FAULTS)} if rng.random() < 1 / 3 else {}
        yield faults, acts


def _acted(job: Job, rng: random.Random, calls: range, horizon: int) -> Iterator[Plan]:
    acts = OPERATOR if job.scene.startswith("operator") else FOREIGN
    if acts is FOREIGN and job.singles < 0:  # somebody stages, and our call fails: was it ours?
        yield from (({n: "lost"}, {n: act}) for n, act in itertools.product(calls, FOREIGN[:3]))
    for _ in range(job.sample):
        yield {rng.randrange(1, horizon + 40): rng.choice(FAULTS)}, {rng.choice(calls): rng.choice(acts)}


def jobs(scene: str = "", full: bool = False) -> list[Job]:
    """All singles in the default world, a sample of them in the others; doubles as a sample. In full: all singles
    everywhere, and all doubles of the default world's rotation."""
    out = []
    for name, world in itertools.product(SCENES, WORLDS):
        if (scene and name != scene) or _nothing_new(name, world):
            continue
        default = world == "default"
        usual = 700 if name == "attacked" else 1500
        sample = (usual if default else 60) * (10 if full else 1)
        if name in BESIDE and not full:
            sample = 400 if default else 20
        every = full and default and name == "one routine"
        few = (1000 if default else 50) if name in BESIDE else 150
        whole = full or (default and name not in BESIDE[1:])
        job = Job(name, world, -1 if whole else few, -1 if every else sample)
        parts = 16 if every else 1
        out += [job._replace(part=part, parts=parts) for part in range(parts)]
    return out


def _nothing_new(scene: str, world: str) -> bool:
    if scene in ("force", "block-first", "stay-blocked", "operator, block-first") and "unknown" in world:
        return True  # they need the facts
    if "blocked" in world and "block" not in scene and scene != "operator":
        return True
    same = ("sessions kept", "tokens outlive the pair", "author not given", "no overlap")
    return scene.endswith(", force") and world in same


def make(world: str, plan: Plan) -> World:
    about: dict[str, Any] = {k: v.copy() if isinstance(v, dict | list) else v for k, v in WORLDS[world].items()}
    return World(faults=dict(plan[0]), acts=dict(plan[1]), **about)


def attempt(job: Job, plan: Plan) -> tuple[str, str, World]:
    """How it ended, or what was violated."""
    w = make(job.world, plan)
    try:
        return SCENES[job.scene](w)[-1], "", w
    except (Violation, InvariantBroken, AttributeError, TypeError, LookupError, AssertionError) as error:
        return "", f"{type(error).__name__}: {error}", w


def smallest(job: Job, plan: Plan) -> Plan:
    """The plan without the events that the violation does not need."""
    for half, n in [(i, n) for i in (0, 1) for n in plan[i]]:
        less: Any = tuple({k: v for k, v in p.items() if (i, k) != (half, n)} for i, p in enumerate(plan))
        if attempt(job, less)[1]:
            return smallest(job, less)
    return plan


class Found(NamedTuple):
    """What exploring a job gave: counts, and the text of a violation."""

    job: Job
    total: int
    restarts: int
    ends: Counter[str]
    text: str


def explore(job: Job) -> Found:
    total, restarts, ends = 0, 0, Counter[str]()
    horizon = attempt(job, ({}, {}))[2].calls + 1
    for plan in itertools.islice(plans(job, horizon), job.part, None, job.parts):
        end, text, w = attempt(job, plan)
        if text:
            plan = smallest(job, plan)
            _, text, w = attempt(job, plan)
            trail = "\n".join(f"    {entry}" for entry in w.trail[-14:])
            row = w.rows[-1] if w.rows else None
            story = f"{text}\n  plan {plan}, stopped at call {w.calls}\n  {row}\n{trail}"
            return Found(job, total, restarts, ends, story)
        total, restarts = total + 1, restarts + w.restarts
        ends[end] += 1
    return Found(job, total, restarts, ends, "")


COLUMNS = ("done", "abandoned", "failed", "held", "unproven")


def line(found: Found) -> str:
    counts = "".join(f"{found.ends[c]:10}" for c in COLUMNS)
    verdict = "VIOLATION" if found.text else "ok"
    return f"{found.job.scene:16}{found.job.world:25}{found.total:8}{found.restarts:9}{counts}  {verdict}"


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--full", action="store_true")
    ask.add_argument("--scene", default="")
    ask.add_argument("--first", action="store_true", help="stop at the first violation, in this process")
    told = ask.parse_args()
    began, total, bad = time.monotonic(), 0, 0
    if told.first:
        text = next(filter(None, (explore(job).text for job in jobs(told.scene))), "")
        print(text)
        return 1 if text else 0
    print(f"{'scene':16}{'world':25}{'plans':>8}{'restarts':>9}" + "".join(f"{c:>10}" for c in COLUMNS))
    with ProcessPoolExecutor(2) as pool:
        for found in pool.map(explore, jobs(told.scene, told.full)):
            print(line(found), flush=True)
            total, bad = total + found.total, bad + bool(found.text)
            if found.text:
                print(found.text)
    print(f"{total} plans (seed {SEED}); {bad} violations; {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
