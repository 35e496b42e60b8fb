"""The timeline as an inline picture (SVG): a bar for each clock, from the decision on, over a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

LEFT, RIGHT, WIDTH = 170, 110, 900  # room for names, for times, in all
ROW, TOP = 28, 34
TICKS = ((0, "0"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (86400, "1 d"))


def timeline(clocks: Sequence[Mapping[str, Any]], human: Mapping[str, Any]) -> str:
    """The picture; people's time is drawn apart, above. Nothing in it is loaded from elsewhere."""
    bars = [*_human(human), *((one["name"], one["seconds"] or 0.0, "machine") for one in clocks)]
    most = max([*(seconds for _, seconds, _ in bars), 1.0])
    height = TOP + ROW * len(bars) + 12
    inside = "".join([*_axis(most, height), *(_bar(at, *bar, most) for at, bar in enumerate(bars))])
    return (f'<svg role="img" aria-label="Timeline from the decision" viewBox="0 0 {WIDTH} {height}"'
            f' width="100%" xmlns="http://www.w3.org/2000/svg">{inside}</svg>')  # fmt: skip


def _human(human: Mapping[str, Any]) -> Iterator[tuple[str, float, str]]:
    if human["approval_s"] is not None:
        yield "approval (people)", human["approval_s"], "human"
    for wait in human["held"]:
        yield "held (people)", wait["seconds"] or 0.0, "human"


def _x(seconds: float, most: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log1p(max(seconds, 0.0)) / math.log1p(most)


def _axis(most: float, height: int) -> Iterator[str]:
    for seconds, words in TICKS:
        if seconds <= most:
            x = f"{_x(seconds, most):.1f}"
            yield f'<line class="tick" x1="{x}" y1="22" x2="{x}" y2="{height - 8}"/>'
            yield f'<text class="tick" x="{x}" y="16" text-anchor="middle">{words}</text>'


def _bar(at: int, name: str, seconds: float, kind: str, most: float) -> str:
    y, end = TOP + ROW * at, _x(seconds, most)
    return (
        f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name.replace("_", " "))}</text>'
        f'<rect class="{kind}" x="{LEFT}" y="{y + 4}" width="{max(end - LEFT, 1.5):.1f}" height="16" rx="2"/>'
        f'<circle class="{kind}" cx="{end:.1f}" cy="{y + 12}" r="5"/>'
        f'<text x="{end + 10:.1f}" y="{y + 16}">{escape(lasting(seconds))}</text>'
    )


def lasting(seconds: float | None) -> str:
    """A span of time for people."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
