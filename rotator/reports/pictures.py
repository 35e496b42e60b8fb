"""Pictures of a page, as inline SVG: bars against a limit, spans on one axis of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from rotator.reports.report import Bar, Span, words

WIDTH, LEFT, LINE = 760.0, 180.0, 22
ROOM = WIDTH - LEFT - 130  # to the right of the labels, with place for words behind the longest bar
GOOD, BAD, LIMIT = "#2f6f9f", "#b3261e", "#222222"


def bars(shown: Sequence[Bar]) -> Element:
    """A bar per line; a black stroke is its limit."""
    svg = _svg(len(shown), "each age as a bar; the black stroke is the limit")
    most = max((max(bar.value, bar.limit) for bar in shown), default=0.0) or 1.0
    for line, bar in enumerate(shown):
        _label(svg, line, bar.label)
        _box(svg, line, LEFT, ROOM * bar.value / most, bad=bar.bad)
        if bar.limit:
            _stroke(svg, line, LEFT + ROOM * bar.limit / most)
        _text(svg, LEFT + ROOM * max(bar.value, bar.limit) / most + 6, line, bar.words)
    return svg


def spans(shown: Sequence[Span], now: datetime) -> Element:
    """A bar per line on one axis of time, which ends now."""
    svg = _svg(len(shown) + 1, "each span on one axis of time")
    first = min((span.start for span in shown), default=now)
    whole = (now - first).total_seconds() or 1.0

    def place(moment: datetime) -> float:
        return LEFT + ROOM * (moment - first).total_seconds() / whole

    for line, span in enumerate(shown):
        _label(svg, line, span.label)
        _box(svg, line, place(span.start), max(place(span.end or now) - place(span.start), 3.0), bad=span.bad)
    _text(svg, LEFT, len(shown), words(first))
    _text(svg, LEFT + ROOM, len(shown), words(now))
    return svg


def _svg(lines: int, title: str) -> Element:
    height = lines * LINE + 6
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH:.0f} {height}", "role": "img", "class": "picture"})
    SubElement(svg, "title").text = title
    return svg


def _label(svg: Element, line: int, label: str) -> None:
    _text(svg, 0, line, label if len(label) <= 26 else f"{label[:25]}…")


def _text(svg: Element, x: float, line: int, text: str) -> None:
    SubElement(svg, "text", {"x": f"{x:.1f}", "y": f"{line * LINE + 16}"}).text = text


def _box(svg: Element, line: int, x: float, width: float, *, bad: bool) -> None:
    SubElement(svg, "rect", {"x": f"{x:.1f}", "y": f"{line * LINE + 4}", "width": f"{max(width, 0):.1f}",
                             "height": "14", "fill": BAD if bad else GOOD})  # fmt: skip


def _stroke(svg: Element, line: int, x: float) -> None:
    SubElement(svg, "rect", {"x": f"{x:.1f}", "y": f"{line * LINE + 1}", "width": "2", "height": "20", "fill": LIMIT})
