"""What this process counts while it works. Only names and numbers come in: never a path, a key or a text."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from rotator.domain.event import Event
from rotator.domain.rotation import Rotation
from rotator.domain.words import Phase
from rotator.metrics.purposes import purpose_of

VAULT = ""  # the far side that is no org
FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_OPEN = 10_000  # intents whose outcome is still awaited; a process that loses more has other troubles


class Meters:
    """Threads may share it; it outlives a reload. `monotonic`: a clock in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._intents: dict[tuple[str, str], float] = {}
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.calls = Counter("rotator_calls", "Calls outside, by what came of them.",
                             ("side", "org", "purpose", "outcome"), registry=registry)
        self.call_seconds = Histogram("rotator_call_seconds", "How long calls outside took.",
                                      ("side", "purpose"), buckets=FAST, registry=registry)
        self.steps = Counter("rotator_steps", "Steps of rotations that came to an outcome.",
                             ("step", "outcome"), registry=registry)
        self.step_seconds = Histogram("rotator_step_seconds", "From a step's intent to its outcome.",
                                      ("step", "outcome"), buckets=(*FAST, 30.0, 60.0), registry=registry)
        self.leases_lost = Counter("rotator_leases_lost", "Work given up because another worker had taken over.",
                                   registry=registry)
        self.setbacks = Counter("rotator_setbacks", "Turns of an app that ended in an error.", ("code",),
                                registry=registry)
        self.ticks = Counter("rotator_ticks", "Looks for what is due, by what came of them.", ("outcome",),
                             registry=registry)
        self._ticked = 0.0
        self.forced_over_budget = Counter("rotator_forced_logins_over_budget",
                                          "Logins of forced rotations beyond the login budget.", ("org",),
                                          registry=registry)  # fmt: skip

    def call(self, side: str, method: str, path: str, outcome: str, seconds: float) -> None:
        """A call is over; `side` is the org's name, or VAULT; `outcome` as `outcome_of` gives it."""
        kind, purpose = "salesforce" if side else "vault", purpose_of(method, path)
        self.calls.labels(kind, side, purpose, outcome).inc()
        self.call_seconds.labels(kind, purpose).observe(seconds)

    def tick(self, outcome: str) -> None:
        """A look for what is due came to its end. From the first one on the age of the last is told."""
        if not self._ticked:
            Gauge("rotator_last_tick_age_seconds", "Since the last look for what is due.",
                  registry=self.registry).set_function(lambda: self._monotonic() - self._ticked)
        self._ticked = self._monotonic()
        self.ticks.labels(outcome).inc()

    def step(self, event: Event, row: Rotation) -> None:
        """A row of the trail was committed."""
        key, now = (row.id, event.step), self._monotonic()
        if event.phase is Phase.INTENT:
            if len(self._intents) < MOST_OPEN:
                self._intents[key] = now
            return
        if event.outcome is None:
            return
        self.steps.labels(event.step, event.outcome.value).inc()
        began = self._intents.pop(key, None)
        if event.phase is Phase.OUTCOME and began is not None:
            self.step_seconds.labels(event.step, event.outcome.value).observe(now - began)


def outcome_of(status: int, reason: str) -> str:
    """The class of an answer (`2xx`), 429 as it is, or why there was none (`timeout`, `connect`, ...)."""
    if not status:
        return reason
    return "429" if status == 429 else f"{status // 100}xx"
