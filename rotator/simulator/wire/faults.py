"""The fault schedule, seeded chaos, and the queue of writes that land late."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from rotator.simulator.dice import Dice
from rotator.simulator.wire.call import Call
from rotator.simulator.wire.match import Match, MatchError, parse

KINDS: dict[str, str] = {
    "status": "answers args.status with args.body and args.headers; takes effect first when args.applied",
    "before": "drops the connection, no effect",
    "after": "takes effect, then drops the connection",
    "late": "drops now (args.reply: drop or hang), takes effect args.requests requests or args.seconds later",
    "hang": "answers nothing until the client leaves; takes effect first when args.applied",
    "slow": "waits args.seconds, then answers",
    "garbage": "takes effect, answers args.body (or half a JSON document) under args.status or 200",
    "cut": "takes effect, sends half of the body, drops the connection",
    "redirect": "no effect, sends args.status (307) to args.to",
    "drip": "takes effect, sends the body a byte every args.interval seconds",
    "huge": "takes effect, sends args.bytes (1 GB) of JSON",
    "bomb": "takes effect, sends args.bytes (1 GB) of JSON, gzipped",
    "wrong_host": "takes effect, puts args.host into every URL of the answer",
    "control": "takes effect, puts control characters into every name of the answer",
}


@dataclass
class Fault:
    """One entry of the schedule."""

    id: int
    kind: str
    match: Match
    args: dict[str, Any] = field(default_factory=dict)
    fired: int = 0

    def applied(self) -> bool:
        """Whether a `status` or `hang` takes effect first."""
        return bool(self.args.get("applied"))


@dataclass
class Late:
    """A request that takes effect later: at that request number, or at that time."""

    call: Call
    at_request: int
    at_time: float


class Schedule:
    """Faults in order; the first that fires is used. Chaos comes after them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.late: list[Late] = []
        self.chaos: Chaos | None = None
        self._ids = count(1)

    def add(self, spec: dict[str, Any]) -> Fault:
        """A fault from JSON `{"kind", "match", "nth" or "every", "args"}`; MatchError when it is not understood."""
        kind = str(spec.get("kind", ""))
        if kind not in KINDS:
            raise MatchError(f"no fault is called {kind!r}; known: {', '.join(KINDS)}")
        fault = Fault(next(self._ids), kind, parse(spec), dict(spec.get("args") or {}))
        self.faults.append(fault)
        return fault

    def pick(self, call: Call) -> Fault | None:
        """The fault for this request; every match counts it."""
        fired = [fault for fault in self.faults if fault.match.fires(call)]
        if fired:
            fired[0].fired += 1
            return fired[0]
        return self.chaos.pick() if self.chaos else None

    def postpone(self, fault: Fault, call: Call, now: float) -> None:
        """Queue a request for its late landing."""
        later = fault.args.get("seconds")
        at_time = now + float(later) if later is not None else float("inf")
        at_request = call.n + int(fault.args.get("requests") or 1) if later is None else 1 << 62
        self.late.append(Late(call, at_request, at_time))

    def due(self, n: int, now: float) -> list[Late]:
        """Take the requests whose time has come."""
        due = [late for late in self.late if n >= late.at_request or now >= late.at_time]
        self.late = [late for late in self.late if late not in due]
        return due

    def listed(self) -> list[dict[str, Any]]:
        """The schedule as JSON."""
        return [asdict(fault) for fault in self.faults]


@dataclass
class Chaos:
    """Seeded trouble for every request: percentages of lost replies, delays, 5xx and 429."""

    dice: Dice
    lost: float = 5
    delayed: float = 5
    failed: float = 2
    throttled: float = 2
    delay_s: float = 0.05

    def pick(self) -> Fault | None:
        """A fault, or none, for the next request."""
        roll = self.dice.random() * 100
        kinds: tuple[tuple[float, str, dict[str, Any]], ...] = (
            (self.lost, "after", {}),
            (self.delayed, "slow", {"seconds": self.delay_s}),
            (self.failed, "status", {"status": self.dice.choice((500, 502, 503))}),
            (self.throttled, "status", {"status": 429, "headers": {"Retry-After": "1"}}),
        )
        for share, kind, args in kinds:
            if roll < share:
                return Fault(0, kind, Match(), dict(args))
            roll -= share
        return None
