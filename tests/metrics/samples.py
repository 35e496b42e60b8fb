"""A fleet in which everything occurs that can be told, and a page read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from rotator.domain.event import Event
from rotator.domain.notice import Backlog
from rotator.domain.pair import Consumer, Target
from rotator.domain.rotation import Rotation
from rotator.domain.words import Outcome, Phase
from rotator.metrics.fleet import App, Drift, Fleet, Head, Open, Side
from rotator.metrics.meters import Meters
from rotator.metrics.render import render

NOW = 1_800_000_000.0
ROW = Rotation("r-1", "billing", "acme", Consumer("00D", "0xI", "888"), Target("p", "k", "s", "https://h", "billing"))
FULL = Fleet(
    NOW, "1.2.3", "abc",
    apps=(App("billing", "acme", 100.0, NOW + 50),
          App("orders", "acme", 9e6, NOW - 60, overdue=60.0, why="paused", paused=True),
          App("new", "bolt", None, NOW)),
    open=(Open("billing", "acme", "held", "scheduled", "foreign_primary", NOW - 7, slot_expires=NOW + 999),
          Open("new", "bolt", "running", "force", "", NOW - 1)),
    drift=(Drift("billing", "acme", "keys", "drift"), Drift("", "bolt", "ORG-2", "drift")),
    head=Head(41, NOW - 3), notices=(
        Backlog("oncall", 2, 1, datetime.fromtimestamp(NOW - 30, UTC), "timeout"),
        Backlog("hook", 0, 0, None, ""),
    ),
    sides=(Side(""), Side("acme", "open", 90, 100, {"workload": (5, 600), "own": (1, 120)}), Side("bolt", "half_open")),
)  # fmt: skip


def busy() -> Meters:
    """Meters in which each of them has moved."""
    now = [0.0]
    meters = Meters(lambda: now[0])
    meters.call("acme", "POST", "/services/oauth2/token", "2xx", 0.1)
    meters.call("", "GET", "/v1/secret/data/a/b", "timeout", 10.0)
    meters.step(Event("stage", Phase.INTENT), ROW)
    now[0] = 2.0
    meters.step(Event("stage", Phase.OUTCOME, Outcome.OK), ROW)
    meters.leases_lost.inc()
    meters.setbacks.labels("unavailable").inc()
    meters.forced_over_budget.labels("acme").inc()
    meters.tick("ok")
    now[0] = 5.0
    return meters


def told(fleet: Fleet, meters: Meters) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The page, read back by Prometheus' own parser: name and labels -> value."""
    page = render(fleet, meters)[0].decode()
    return {(s.name, frozenset(s.labels.items())): s.value
            for family in text_string_to_metric_families(page) for s in family.samples}  # fmt: skip


def value(found: Mapping[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    """One series' value. Raises KeyError where there is none."""
    return found[name, frozenset(labels.items())]
