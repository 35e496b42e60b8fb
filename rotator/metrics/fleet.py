"""The fleet at one moment, as the database and this process know it, and as Prometheus is told.

Per app there are two series (age, next due), and more only where something is wrong or open: of 5,000 apps few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric

from rotator.domain.notice import Backlog
from rotator.domain.words import ENDED, State


@dataclass(frozen=True, slots=True)
class App:
    """One configured app. Times are Unix seconds; None where there is none."""

    name: str
    org: str
    age: float | None  # seconds; None: never rotated
    due_at: float | None
    overdue: float = 0.0  # seconds; 0: not overdue
    why: str = ""  # a code: why it is not begun, or that it is
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """One open rotation."""

    app: str
    org: str
    state: str
    trigger: str
    reason: str  # a code; "" where all goes well
    since: float
    slot_expires: float | None = None  # when Salesforce drops the staged pair, at the earliest


@dataclass(frozen=True, slots=True)
class Drift:
    """What the sweep saw of an app that is not as it should be, or could not see; app "": of the whole org."""

    app: str
    org: str
    look: str
    state: str  # drift | blind


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the audit chain, and when its last row was written."""

    seq: int
    at: float


@dataclass(frozen=True, slots=True)
class Side:
    """A far side, as this process sees it: an org, or Vault (name "")."""

    name: str
    breaker: str = "closed"  # closed | open | half_open
    api_used: int | None = None
    api_most: int | None = None
    logins: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # workload | own -> most of one user, budget


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of it. `database` False: it could not be asked, and the rest is empty."""

    now: float
    version: str
    config_hash: str
    database: bool = True
    apps: tuple[App, ...] = ()
    open: tuple[Open, ...] = ()
    drift: tuple[Drift, ...] = ()
    head: Head | None = None
    notices: tuple[Backlog, ...] = ()  # by channel
    sides: tuple[Side, ...] = ()


def families(fleet: Fleet) -> Iterator[Metric]:
    """The metrics of the fleet."""
    yield _one("rotator_build_info", "1, with version and configuration.", 1.0,
               version=fleet.version, config_hash=fleet.config_hash)
    yield _one("rotator_database_up", "Whether the database answered when this was read.", float(fleet.database))
    yield from _sides(fleet.sides)
    if fleet.database:
        yield from _apps(fleet)
        yield from _open(fleet)
        yield from _trail(fleet)


def _apps(fleet: Fleet) -> Iterator[Metric]:
    apps = fleet.apps
    yield _family("rotator_secret_age_seconds", "Age of an app's present pair; absent where never rotated.",
                  ("app", "org"), (((a.name, a.org), a.age) for a in apps))
    yield _family("rotator_next_due_timestamp_seconds", "When the next rotation may begin.",
                  ("app", "org"), (((a.name, a.org), a.due_at) for a in apps))
    yield _family("rotator_overdue_seconds", "How long an app is overdue, and why; only those that are.",
                  ("app", "org", "why"), (((a.name, a.org, a.why), a.overdue) for a in apps if a.overdue))
    yield _count("rotator_apps", "Configured apps.", Counter(a.org for a in apps))
    orgs = dict.fromkeys((a.org for a in apps), 0)
    yield _count("rotator_apps_overdue", "Apps that are overdue.", orgs | Counter(a.org for a in apps if a.overdue))
    yield _count("rotator_apps_paused", "Apps whose routine work is paused.",
                 orgs | Counter(a.org for a in apps if a.paused))
    yield _count("rotator_apps_never_rotated", "Apps that were never rotated.",
                 orgs | Counter(a.org for a in apps if a.age is None))


def _open(fleet: Fleet) -> Iterator[Metric]:
    states = dict.fromkeys((s.value for s in State if s not in ENDED), 0) | Counter(row.state for row in fleet.open)
    yield _count("rotator_open_rotations", "Open rotations by state.", states, label="state")
    troubled = (State.HELD.value, State.UNPROVEN.value, State.WAITING.value)
    yield _family("rotator_app_trouble", "1 for each app that is held, unproven or waiting, with the reason's code.",
                  ("app", "org", "state", "reason"),
                  (((r.app, r.org, r.state, r.reason), 1.0) for r in fleet.open if r.state in troubled))
    yield _family("rotator_drift", "1 for each look of the sweep at which an app, or an org, is not as it should be.",
                  ("app", "org", "look", "state"), (((d.app, d.org, d.look, d.state), 1.0) for d in fleet.drift))
    yield _family("rotator_rotation_open_seconds", "How long a rotation is open.", ("app", "org", "state", "trigger"),
                  (((r.app, r.org, r.state, r.trigger), fleet.now - r.since) for r in fleet.open))
    yield _family("rotator_slot_expires_timestamp_seconds",
                  "When Salesforce drops the pair in the slot, at the earliest.", ("app", "org"),
                  (((r.app, r.org), r.slot_expires) for r in fleet.open))


def _trail(fleet: Fleet) -> Iterator[Metric]:
    if fleet.head is not None:
        yield _one("rotator_audit_seq", "Number of the last row of the audit trail.", float(fleet.head.seq))
        yield _one("rotator_audit_head_age_seconds", "Age of the last row of the audit trail.",
                   fleet.now - fleet.head.at)
    for name, about, value in _NOTICES:
        yield _family(name, about, ("channel",), (((one.channel,), value(one, fleet.now)) for one in fleet.notices))


def _waits(one: Backlog, now: float) -> float:
    return now - one.oldest.timestamp() if one.oldest is not None else 0.0


_NOTICES: tuple[tuple[str, str, Callable[[Backlog, float], float]], ...] = (
    ("rotator_notices_pending", "Notices and hooks that wait.", lambda one, now: one.waiting),
    ("rotator_notices_given_up", "Notices and hooks given up, as long as their rows are kept.",
     lambda one, now: one.given_up),
    ("rotator_notices_oldest_seconds", "How long the oldest pending one waits.", _waits),
)


def _sides(sides: Iterable[Side]) -> Iterator[Metric]:
    sides = tuple(sides)
    values = {"closed": 0.0, "half_open": 1.0, "open": 2.0}
    yield _family("rotator_breaker_state", "Of a far side: 0 closed, 1 half open, 2 open.", ("side", "org"),
                  (((_kind(s), s.name), values[s.breaker]) for s in sides))
    yield _family("rotator_api_requests_used", "API requests of the org in 24 hours, by its own count.", ("org",),
                  (((s.name,), s.api_used) for s in sides))
    yield _family("rotator_api_requests_limit", "API requests the org may be sent in 24 hours.", ("org",),
                  (((s.name,), s.api_most) for s in sides))
    yield _family("rotator_logins_last_hour", "Token requests of this process in an hour, of the user with most.",
                  ("org", "identity"), (((s.name, who), used) for s in sides for who, (used, _) in s.logins.items()))
    yield _family("rotator_logins_budget", "Token requests that one user may make in an hour.", ("org", "identity"),
                  (((s.name, who), most) for s in sides for who, (_, most) in s.logins.items()))


def _kind(side: Side) -> str:
    return "salesforce" if side.name else "vault"


def _family(name: str, about: str, labels: tuple[str, ...],
            values: Iterable[tuple[tuple[str, ...], float | None]]) -> Metric:
    family: Any = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values:
        if value is not None:
            family.add_metric(key, value)
    return family  # type: ignore[no-any-return]


def _count(name: str, about: str, counts: Mapping[str, int], label: str = "org") -> Metric:
    return _family(name, about, (label,), (((key,), float(value)) for key, value in counts.items()))


def _one(name: str, about: str, value: float, **labels: str) -> Metric:
    return _family(name, about, tuple(labels), [(tuple(labels.values()), value)])
