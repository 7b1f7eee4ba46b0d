"""Curves and interval marks as inline SVG, coloured by the page's own style sheet, so they follow dark and light."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from blurlab.report.text import figure

WIDTH, HEIGHT = 480, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 44
Point = Mapping[str, Any]


@dataclass(frozen=True)
class Series:
    """One curve.

    Attributes:
        name: Its name in the key.
        points: ``{"x", "value"}`` with perhaps ``low``, ``high`` (95 %) and ``n``.
        colour: Index of its colour, 0 to 5.
        limit: Whether it is a limit, drawn dashed without marks.
    """

    name: str
    points: Sequence[Point]
    colour: int = 0
    limit: bool = False


@dataclass(frozen=True)
class Axis:
    """A linear axis from data to pixels."""

    low: float
    high: float
    start_px: float
    end_px: float

    def __call__(self, value: float) -> float:
        """Where ``value`` lies, in pixels."""
        return self.start_px + (value - self.low) / (self.high - self.low) * (self.end_px - self.start_px)


def ticks(low: float, high: float, count: int = 6) -> list[float]:
    """At most ``count`` + 1 round numbers from at or below ``low`` to at or above ``high``.

    Example:
        >>> ticks(0.61, 1.0, 4)
        [0.6, 0.7, 0.8, 0.9, 1.0]
    """
    span = high - low or abs(high) or 1.0
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10, 20) if m * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [round(place * step, 10) for place in range(first, last + 1)]


def line_chart(
    series: Sequence[Series], x_label: str, y_label: str, floor: float | None = None, top: float | None = None
) -> str:
    """Curves with their 95 % bands.

    Args:
        series: At least one curve; points whose value is None or not finite are left out.
        x_label: Words under the abscissa.
        y_label: What is drawn, for readers who cannot see it.
        floor: Lowest value the ordinate may show, such as 0 for a fraction.
        top: Highest value it may show, such as 1.

    Returns:
        An ``<svg>`` element.
    """
    curves = [Series(s.name, [p for p in s.points if _finite(p)], s.colour, s.limit) for s in series]
    points = [point for curve in curves for point in curve.points]
    if not points:
        return ""
    xs = [float(p["x"]) for p in points]
    ys = [
        float(v)
        for p in points
        for v in (p["value"], p.get("low"), p.get("high"))
        if v is not None and math.isfinite(v)
    ]
    lowest = min(ys) if floor is None else max(floor, min(ys))
    highest = max(ys) if top is None else min(top, max(ys))
    x_ticks, y_ticks = ticks(min(xs), max(xs), 8), ticks(lowest, highest, 5)
    x_pad = (max(xs) - min(xs)) * 0.03 or 0.5
    x = Axis(min(xs) - x_pad, max(xs) + x_pad, _LEFT, WIDTH - _RIGHT)
    y = Axis(y_ticks[0], y_ticks[-1], HEIGHT - _BOTTOM, _TOP)
    parts = [*_frame(x, y, [t for t in x_ticks if x.low <= t <= x.high], y_ticks, x_label)]
    parts += [_band(curve, x, y) for curve in curves]
    parts += [_line(curve, x, y) for curve in curves]
    name = escape(f"{y_label} against {x_label}: " + ", ".join(curve.name for curve in curves))
    return f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">{"".join(parts)}</svg>'


def _finite(point: Point) -> bool:
    return all(point[key] is not None and math.isfinite(point[key]) for key in ("x", "value"))


def _frame(x: Axis, y: Axis, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str) -> list[str]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = []
    for tick in y_ticks:
        at = f"{y(tick):.1f}"
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="{_LEFT - 7}" y="{at}" dy=".35em" text-anchor="end">{_tick(tick)}</text>')
    for tick in x_ticks:
        at = f"{x(tick):.1f}"
        parts.append(f'<line class="axis" x1="{at}" x2="{at}" y1="{bottom}" y2="{bottom + 4}"/>')
        parts.append(f'<text x="{at}" y="{bottom + 17}" text-anchor="middle">{_tick(tick)}</text>')
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(
        f'<text class="name" x="{(_LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
    )
    return parts


def _tick(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _band(curve: Series, x: Axis, y: Axis) -> str:
    known = [p for p in curve.points if p.get("low") is not None and p.get("high") is not None]
    if len(known) < 2 or curve.limit:
        return ""
    corners = [(p["x"], p["high"]) for p in known] + [(p["x"], p["low"]) for p in reversed(known)]
    path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in corners)
    return f'<polygon class="band c{curve.colour}" points="{path}"/>'


def _line(curve: Series, x: Axis, y: Axis) -> str:
    path = " ".join(f"{x(p['x']):.1f},{y(p['value']):.1f}" for p in curve.points)
    kind = "limit" if curve.limit else "line"
    parts = [f'<polyline class="{kind} c{curve.colour}" points="{path}"/>']
    if not curve.limit:
        for p in curve.points:
            place = f'cx="{x(p["x"]):.1f}" cy="{y(p["value"]):.1f}"'
            parts.append(
                f'<circle class="dot c{curve.colour}" {place} r="3"><title>{escape(_hover(curve, p))}</title></circle>'
            )
    return "".join(parts)


def _hover(curve: Series, p: Point) -> str:
    words = f"{curve.name}, {p['x']:g}: {figure(p['value'])}"
    if p.get("low") is not None and p.get("high") is not None:
        words += f" [{figure(p['low'])}, {figure(p['high'])}]"
    return words + (f", n {p['n']}" if p.get("n") is not None else "")


def mark(
    low: float, high: float, ours: Point | None, published: float | None = None, limit: float | None = None
) -> str:
    """A row's figures on the scale its neighbours share: interval and dot ours, diamond published, bar limit.

    Args:
        low: Left end of the scale.
        high: Right end, above ``low``.
        ours: ``{"value", "low", "high"}``.
        published: The published value.
        limit: The limit.

    Returns:
        An ``<svg>`` element, hidden from readers that read the cells beside it.
    """
    x = Axis(low, high, 8, 152)
    parts = ['<line class="grid" x1="8" x2="152" y1="10" y2="10"/>']
    if limit is not None and math.isfinite(limit):
        parts.append(f'<line class="limit-mark" x1="{x(limit):.1f}" x2="{x(limit):.1f}" y1="2" y2="18"/>')
    if ours and ours.get("low") is not None and ours.get("high") is not None:
        parts.append(f'<line class="span" x1="{x(ours["low"]):.1f}" x2="{x(ours["high"]):.1f}" y1="10" y2="10"/>')
    if ours and ours["value"] is not None and math.isfinite(ours["value"]):
        parts.append(f'<circle class="ours" cx="{x(ours["value"]):.1f}" cy="10" r="4"/>')
    if published is not None and math.isfinite(published):
        at = x(published)
        parts.append(f'<path class="theirs" d="M{at:.1f} 4.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>')
    return f'<svg class="mark" viewBox="0 0 160 20" aria-hidden="true">{"".join(parts)}</svg>'
