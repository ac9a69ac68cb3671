"""A figure on a line between what integrated and what standalone revenue cycles reach."""

from __future__ import annotations

from markupsafe import Markup

from journey.console.charts.svg import box, element, picture
from journey.kpi.model import KpiValue

WIDTH = 220


def against_benchmarks(value: KpiValue) -> Markup:
    """A scale with both ranges and a mark where the figure stands; nothing where there are no ranges or no figure."""
    good, poor, here = value.integrated, value.standalone, value.thousandths
    if good is None or poor is None or here is None:
        return Markup("")
    ends = (good.low, good.high, poor.low, poor.high)
    room = (max(ends) - min(ends)) * 0.25
    low, high = max(0.0, min(ends) - room), max(ends) + room
    place = min(max((here - low) / (high - low), 0.0), 1.0) * (WIDTH - 8) + 4

    def range_of(first: int, last: int, class_: str) -> Markup:
        begin = (first - low) / (high - low) * WIDTH
        return box(begin, 7, (last - low) / (high - low) * WIDTH - begin, 6, class_)

    marks = [
        box(0, 9, WIDTH, 2, "scale"),
        range_of(good.low, good.high, "scale-good"),
        range_of(poor.low, poor.high, "scale-poor"),
        element("path", d=f"M{place:.1f} 14l5 6h-10z", class_="scale-here"),
    ]
    says = f"{value.shown}; integrated {good.text}, standalone {poor.text}"
    return picture(WIDTH, 20, says, marks, "chart scale")
