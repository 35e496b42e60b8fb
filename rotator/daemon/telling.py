"""One line for `systemctl status`: how many apps, what is at hand, what needs a human, what is late and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rotator.domain.policy import stamp
from rotator.domain.rotation import Rotation
from rotator.domain.standing import Standing
from rotator.domain.words import State


def line(apps: int, hands: int, busy: int, standings: Mapping[str, Standing], rows: Sequence[Rotation]) -> str:
    """`standings`: of the apps that have no open rotation; `rows`: what is open."""
    return "; ".join([f"{apps} apps, {hands} at hand, {busy} in work", *_more(standings, rows)])


def _more(standings: Mapping[str, Standing], rows: Sequence[Rotation]) -> Iterator[str]:
    waiting = {row.app for row in rows}
    closed = {name: found for name, found in standings.items() if name not in waiting}
    states = Counter(row.state for row in rows)
    for state in (State.HELD, State.UNPROVEN, State.WAITING):
        if states[state]:
            yield f"{states[state]} {state}"
    late = Counter(found.code.value for found in closed.values() if found.overdue)
    if late:
        yield f"{late.total()} overdue ({', '.join(f'{code} {count}' for code, count in sorted(late.items()))})"
    coming = min(((found.at, name) for name, found in closed.items() if found.at and not found.now), default=None)
    if coming is not None:
        yield f"next {coming[1]} at {stamp(coming[0])}"
