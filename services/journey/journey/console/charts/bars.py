"""Bars: amounts under each other, amounts over weeks, and what a sum is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from journey.console.charts.svg import box, label, line, picture

WIDTH = 720
SERIES = 7


@dataclass(frozen=True, slots=True)
class Level:
    """One bar: its name, its value, the class that colours it, and what stands behind it."""

    name: str
    value: int
    kind: str
    beside: str = ""


def levels(rows: Sequence[Level], says: str, shown: Callable[[int], str]) -> Markup:
    """Horizontal bars from one line, the values written at their ends."""
    left, right, row = 126, 196, 25
    most = max((one.value for one in rows), default=0) or 1
    marks = [line(left, 0, left, row * len(rows), "grid strong")]
    for number, one in enumerate(rows):
        y, width = row * number, (WIDTH - left - right) * max(one.value, 0) / most
        marks += [
            label(left - 10, y + 17, one.name, "name", "end"),
            box(
                left,
                y + 4,
                max(width, 1.5 if one.value else 0),
                row - 8,
                f"bar {one.kind}",
                f"{one.name}: {shown(one.value)}",
            ),
            label(left + width + 8, y + 17, shown(one.value), "value"),
            label(WIDTH - 4, y + 17, one.beside, "value minor", "end"),
        ]
    return picture(WIDTH, row * max(1, len(rows)), says, marks)


def columns(
    names: Sequence[str], series: Sequence[tuple[str, Sequence[int]]], says: str, shown: Callable[[int], str]
) -> Markup:
    """Stacked columns: one for each name; `series` are (name, one value per column), the first at the bottom."""
    wide, height, left, bottom, top = 960, 250, 64, 26, 10
    totals = [sum(values[place] for _, values in series) for place in range(len(names))]
    most = _round_up(max(totals, default=0))
    step = (wide - left) / max(1, len(names))
    plot = height - bottom - top
    marks: list[Markup] = []
    for part in range(5):
        y = top + plot * part / 4
        marks += [line(left, y, wide, y, "grid"), label(left - 8, y + 4, shown(most * (4 - part) // 4), "axis", "end")]
    for place, name in enumerate(names):
        marks += _column(place, name, series, left + step * place, step, top + plot, plot / most, shown)
        marks.append(label(left + step * (place + 0.5), height - 8, name, "axis", "middle"))
    return picture(wide, height, says, marks)


def _column(
    place: int,
    name: str,
    series: Sequence[tuple[str, Sequence[int]]],
    x: float,
    step: float,
    floor: float,
    unit: float,
    shown: Callable[[int], str],
) -> list[Markup]:
    marks = []
    for number, (key, values) in enumerate(series):
        if values[place] <= 0:
            continue
        height = values[place] * unit
        floor -= height
        said = f"{key}, week of {name}: {shown(values[place])}"
        marks.append(
            box(x + step * 0.15, floor, step * 0.7, max(height - 0.5, 0.5), f"series-{number % SERIES + 1}", said)
        )
    return marks


def _round_up(value: int) -> int:
    """The next number that is good to read on an axis and divides by four."""
    size = 4
    while size * 10 <= value:
        size *= 10
    return next((size * times for times in (1, 2, 3, 5, 10) if size * times >= value), size * 10)


def split(parts: Sequence[Level], says: str, shown: Callable[[int], str], width: int = 720) -> Markup:
    """One bar made of parts, as wide as the sum of what is positive."""
    total = sum(max(0, one.value) for one in parts) or 1
    x, marks = 0.0, []
    for one in parts:
        wide = width * max(0, one.value) / total
        if wide:
            marks.append(box(x, 0, max(wide - 1, 1), 16, f"bar {one.kind}", f"{one.name}: {shown(one.value)}"))
        x += wide
    return picture(width, 16, says, marks, "chart split")
