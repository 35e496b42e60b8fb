"""A calibration in this process, against a simulated org whose clock runs when the calibration sleeps."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from rotator.checks.calibrate.experiments import Found
from rotator.checks.calibrate.lab import Lab
from rotator.checks.calibrate.work import calibrated
from rotator.config.durations import parse_duration
from rotator.domain.event import Event
from rotator.domain.facts import FACTS, FactKind
from rotator.domain.pair import Consumer
from rotator.domain.timing import Timing
from tests.contract.salesforce_ports import Door, World, simulator

TIMING = Timing(propagation=timedelta(minutes=3), settle=timedelta(seconds=1))
DELAYS = ("0s", "20s", "95s", "150s")


@dataclass
class Time:
    """ports.Clock: sleeping moves the simulator's clock and ours by the same."""

    door: Door
    moved: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def monotonic(self) -> float:
        return time.monotonic() + self.moved

    def sleep(self, seconds: float) -> None:
        self.moved += seconds
        self.door.post("/clock", advance=seconds)

    def jitter(self) -> float:
        return self.dice.random()


class AnyNumber:
    """ports.Logins without a budget."""

    def ask(self, consumer: Consumer, *, forced: bool) -> None: ...
    def belongs(self, consumer: Consumer, user: str) -> None: ...


@dataclass
class Bench:
    """One world, ready for calibrations of billing. `rows`: the trail."""

    world: World
    door: Door
    rows: list[dict[str, Any]] = field(default_factory=list)
    stopped: Callable[[], bool] = lambda: False

    def lab(self) -> Lab:
        org = cast("Any", self.world.port)
        return Lab(org, org.find(self.world.app, ""), Time(self.door), AnyNumber(), TIMING, "limits", self._record,
                   keep=lambda at_once: None, stopped=self.stopped, progress=lambda doing, left: None)  # fmt: skip

    def _record(self, event: Event) -> None:
        self.rows.append({"ts": self.now(), "phase": event.phase, "outcome": event.outcome, "evidence": event.evidence})

    def now(self) -> str:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(self.door.get("/clock")["now"], UTC).isoformat()

    def run(self, lab: Lab | None = None, *, trusted: bool = False) -> Mapping[str, Found]:
        """A whole calibration."""
        found, _ = calibrated(lab or self.lab(), list(self.rows), [], lambda held: self.world.user_id, trusted=trusted)
        return found

    def truth(self) -> dict[str, Any]:
        """Billing's consumer, as it really is."""
        return dict(self.door.get("/truth")["acme"]["billing"]["consumers"][0])


@contextmanager
def bench(seed: int, *, classic: bool = True, facts: Mapping[str, str] | None = None,
          shapes: Mapping[str, str] | None = None) -> Iterator[Bench]:
    """A world of this seed: awkward answers, and these facts."""
    with simulator(seed=seed, facts=dict(facts or {}), shapes=dict(shapes or {})) as world:
        door = cast("Door", world.door)
        if classic:
            door.post("/orgs/acme/apps", name="legacy", kind="connected_app", seed_live=False)
        yield Bench(world, door)


def drawn(seed: int) -> dict[str, str]:
    """Every fact of an org, drawn."""
    dice = random.Random(seed)
    return {name: dice.choice(DELAYS if kind is FactKind.DURATION else ("yes", "no"))
            for name, (kind, _) in FACTS.items()}  # fmt: skip


def wrong(bench: Bench, found: Mapping[str, Found], *, faults: bool = False) -> dict[str, str]:
    """The facts that were found otherwise than they are, and those that are unknown without need (which is allowed
    where calls fail)."""
    facts, dark = bench.door.get("/facts"), bench.door.get("/unobservable")
    told: dict[str, str] = {}
    for name, one in found.items():
        if one.known and not _fits(name, one.value, facts[name]):
            told[name] = f"found {one.value}, is {facts[name]} ({one.how})"
        if not one.known and not faults and name not in dark:
            told[name] = f"unknown, is {facts[name]} ({one.how})"
        if one.known and name in dark:
            told[name] = f"found {one.value}, which nobody can see ({one.how})"
    return told


def _fits(name: str, value: str, real: str) -> bool:
    """A duration is an upper bound, at most three looks late."""
    if FACTS[name][0] is FactKind.YES_NO:
        return value == real
    found, true = parse_duration(value), parse_duration(real)
    return true <= found <= true + timedelta(seconds=95)
