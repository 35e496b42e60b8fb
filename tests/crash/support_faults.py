"""The kinds of single faults, and which of them come at which request of a rotation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

SEED = 20
SHORT = 0.25  # seconds: the deadline of a call where a fault needs one to pass


@dataclass(frozen=True)
class Kind:
    """A fault as the simulator's schedule takes it. `lean`: tried at each change in `make check`; `reads`: it means
    something to a read; `sharp`: the client must give up by its own deadline. `{trap}` stands for the address of a
    host that nobody may ever call."""

    name: str
    kind: str
    args: dict[str, Any] = field(default_factory=dict)
    lean: bool = True
    reads: bool = True
    sharp: bool = False

    def spec(self, n: int, trap: str) -> dict[str, Any]:
        """For the n-th request from now on."""
        args = {name: value.format(trap=trap) if name in ("to", "host") else value for name, value in self.args.items()}
        return {"kind": self.kind, "nth": n, "args": args}


KINDS = (
    Kind("500", "status", {"status": 500}),
    Kind("500 after the effect", "status", {"status": 500, "applied": True}, reads=False),
    Kind("503", "status", {"status": 503}, lean=False),
    Kind("503 after the effect", "status", {"status": 503, "applied": True}, lean=False, reads=False),
    Kind("429", "status", {"status": 429, "headers": {"Retry-After": "1"}}),
    Kind("429, long", "status", {"status": 429, "headers": {"Retry-After": "90"}}, lean=False),
    Kind("never arrives", "before"),
    Kind("reply lost", "after"),
    Kind("lands at the next request", "late", {"requests": 1}, reads=False),
    Kind("lands some requests later", "late", {"requests": 4}, lean=False, reads=False),
    Kind("lands within settle", "late", {"seconds": 100}, reads=False),
    Kind("garbage", "garbage"),
    Kind("no JSON", "garbage", {"body": "<html>502</html>"}, lean=False),
    Kind("cut in the middle", "cut"),
    Kind("redirect", "redirect", {"to": "{trap}/services/oauth2/token"}),
    Kind("huge", "huge", {"bytes": 4 << 20}),
    Kind("bomb", "bomb", {"bytes": 64 << 20}, lean=False),
    Kind("URLs of another host", "wrong_host", {"host": "{trap}"}),
    Kind("control characters", "control"),
    Kind("drip", "drip", {"interval": 0.2}, sharp=True),
    Kind("hangs before the effect", "hang", sharp=True),
    Kind("hangs, then lands", "late", {"seconds": 60, "reply": "hang"}, lean=False, reads=False, sharp=True),
)  # fmt: skip
UNREADABLE = ("garbage", "no JSON", "huge", "bomb", "redirect")  # answers that a human must look at

# How the effects begin that change something.
CHANGES = ("stage", "rotate", "delete", "revoke", "end", "block", "unblock", "kv.")


def changes(request: dict[str, Any]) -> bool:
    """Whether this request of the history changed anything but a login."""
    return str(request["effect"]).startswith(CHANGES)


@dataclass(frozen=True)
class Plan:
    """One fault at one request; `purpose` is what that request was for when nothing went wrong."""

    n: int
    kind: Kind
    purpose: str
    write: bool

    def __str__(self) -> str:
        return f"{self.kind.name} at request {self.n} ({self.purpose})"


def every(history: Sequence[dict[str, Any]]) -> list[Plan]:
    """All kinds at every request of an undisturbed rotation."""
    return [plan(n, request, kind) for n, request in enumerate(history, 1) for kind in KINDS]


def lean(history: Sequence[dict[str, Any]]) -> list[Plan]:
    """The lean kinds at every request that changes something; and the reads of one purpose share the kinds between
    them, so that every purpose meets every lean kind that means something to a read, and every request a fault."""
    writes = [p for p in every(history) if p.write and p.kind.lean]
    places: dict[str, list[int]] = {}
    for n, request in enumerate(history, 1):
        if not changes(request):
            places.setdefault(plan(n, request, KINDS[0]).purpose, []).append(n)
    kinds = [kind for kind in KINDS if kind.reads and kind.lean]
    reads = [
        plan(numbers[i % len(numbers)], history[numbers[i % len(numbers)] - 1], kinds[i % len(kinds)])
        for numbers in places.values() for i in range(max(len(kinds), len(numbers)))
    ]  # fmt: skip
    return writes + reads


def sample(history: Sequence[dict[str, Any]], count: int, seed: int = SEED) -> list[Plan]:
    """A seeded sample, half of it at requests that change something."""
    rng, plans = random.Random(seed), every(history)
    writes, reads = [p for p in plans if p.write], [p for p in plans if not p.write]
    return rng.sample(writes, min(count // 2, len(writes))) + rng.sample(reads, min(count - count // 2, len(reads)))


def plan(n: int, request: dict[str, Any], kind: Kind) -> Plan:
    return Plan(n, kind, f"{request['site'].split(':')[0]}: {request['purpose']}", changes(request))
