"""Pauses: the n-th matching request waits, before or after its effect, until it is told to go on or the client dies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from rotator.simulator.wire.call import Call
from rotator.simulator.wire.line import Line
from rotator.simulator.wire.match import Match, MatchError, parse

WHEN = ("before", "after")


@dataclass
class Pause:
    """One pause; `n` is the request that waits, 0 while none does. `lands`: a request whose client dies while it waits
    before its effect takes effect all the same, as one in flight may."""

    id: int
    when: str
    match: Match
    lands: bool = False
    n: int = 0
    purpose: str = ""
    state: str = "armed"
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def shown(self) -> dict[str, Any]:
        """As JSON: state is armed, paused, resumed or gone (the client died)."""
        return {"id": self.id, "when": self.when, "n": self.n, "purpose": self.purpose, "state": self.state}


class Pauses:
    """All pauses; each is used once."""

    def __init__(self) -> None:
        self.all: list[Pause] = []
        self._ids = count(1)

    def add(self, spec: dict[str, Any]) -> Pause:
        """A pause from JSON `{"when": "before" | "after", "match", "nth", "lands"}`."""
        when = str(spec.get("when", "before"))
        if when not in WHEN:
            raise MatchError(f"when is before or after, not {when!r}")
        pause = Pause(next(self._ids), when, parse(spec), bool(spec.get("lands")))
        self.all.append(pause)
        return pause

    def chosen(self, call: Call) -> Pause | None:
        """The armed pause that this request runs into; counts the request once."""
        fired = [p for p in self.all if p.state == "armed" and p.match.fires(call)]
        return fired[0] if fired else None

    def resume(self, pause_id: int = 0) -> list[dict[str, Any]]:
        """Let one, or all, go on."""
        let_go = [p for p in self.all if p.state == "paused" and pause_id in (0, p.id)]
        for pause in let_go:
            pause.go.set()
        return [pause.shown() for pause in let_go]

    def clear(self) -> None:
        """Forget all; those that wait go on."""
        self.resume()
        self.all = []


async def hold(pause: Pause | None, when: str, call: Call, purpose: str, line: Line) -> bool:
    """Wait there if the pause says so. True: go on; False: the client is gone."""
    if pause is None or pause.when != when:
        return True
    pause.n, pause.purpose, pause.state = call.n, purpose, "paused"
    told, leaving = asyncio.ensure_future(pause.go.wait()), asyncio.ensure_future(line.gone())
    await asyncio.wait([told, leaving], return_when=asyncio.FIRST_COMPLETED)
    alive = told.done()
    told.cancel()
    leaving.cancel()
    pause.state = "resumed" if alive else "gone"
    return alive
