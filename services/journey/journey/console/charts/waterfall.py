"""A journey over real time: each stage a bar where it began and ended, coloured by who held the money meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from journey.console.charts.svg import box, element, label, line, picture
from journey.console.table_stages import HOLDER
from journey.console.words import lasting, plain, short_dollars
from journey.model import Journey, Stage
from journey.model.facts import microseconds

LINEAR, LOG = "linear", "log"
SCALES = (LINEAR, LOG)
WIDTH, LEFT, RIGHT, ROW, TOP = 1080, 150, 170, 26, 30
PLOT = WIDTH - LEFT - RIGHT
LEAST_WIDTH = 2.0
# From here on a stage is so much longer than another that a linear axis hides the shorter one.
HIDDEN_BY = 2000
SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
LOG_TICKS: tuple[int, ...] = (
    *(1_000, 10_000, 100_000, SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR),
    *(DAY, 3 * DAY, 10 * DAY, 30 * DAY, 100 * DAY, 365 * DAY),
)
STEPS: tuple[int, ...] = (
    *(1, 10, 100, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND),
    *(MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR),
    *(DAY, 2 * DAY, 5 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 60 * DAY, 90 * DAY, 180 * DAY, 365 * DAY),
)
LEAST_TICK_GAP = 46


@dataclass(frozen=True, slots=True)
class Axis:
    """From microseconds since the start to a place between 0 and 1."""

    span_us: int
    scale: str
    least_us: int = 1_000

    def at(self, us: int) -> float:
        """Where an instant lies. The logarithm begins at the shortest time that it tells apart."""
        if self.scale == LINEAR:
            return us / self.span_us
        return math.log1p(us / self.least_us) / math.log1p(self.span_us / self.least_us)

    def ticks(self) -> list[int]:
        """Round times that fit, in microseconds since the start."""
        if self.scale == LOG:
            wanted = [tick for tick in LOG_TICKS if tick <= self.span_us]
        else:
            step = next((step for step in STEPS if self.span_us / step <= 9), STEPS[-1])
            wanted = [step * number for number in range(1, int(self.span_us // step) + 1)][:60]
        return _apart(wanted, self)


def _apart(wanted: list[int], axis: Axis) -> list[int]:
    kept: list[int] = []
    last = 0.0
    for tick in wanted:
        if (axis.at(tick) - last) * PLOT >= LEAST_TICK_GAP:
            kept.append(tick)
            last = axis.at(tick)
    return kept


def fitting_scale(journey: Journey, now: datetime) -> str:
    """The scale on which all stages can be seen."""
    lengths = [length for stage in journey.stages if (length := _length(stage, now)) > 0]
    return LOG if lengths and max(lengths) > HIDDEN_BY * min(lengths) else LINEAR


def waterfall(journey: Journey, now: datetime, scale: str) -> Markup:
    """The stages of a journey, the earliest on top; what lasts ends now."""
    start = journey.started_at
    span = max(1, microseconds(_end_of(journey, now) - start))
    axis = Axis(span, scale)
    height = TOP + ROW * len(journey.stages) + 6
    content = [element("defs", [_hatch()]), *_grid(axis, height)]
    for number, stage in enumerate(journey.stages):
        content += _row(stage, axis, start, now, TOP + ROW * number)
    says = f"Waterfall of {len(journey.stages)} stages over {lasting(span)}, {scale} time; the table has the numbers"
    return picture(WIDTH, height, says, content, "chart waterfall")


def _end_of(journey: Journey, now: datetime) -> datetime:
    last = journey.stages[-1] if journey.stages else None
    return (last.ended_at or now) if last else journey.started_at


def _length(stage: Stage, now: datetime) -> int:
    return microseconds((stage.ended_at or now) - stage.started_at)


def _hatch() -> Markup:
    stripe = element("path", d="M-2 2l4-4M0 8l8-8M6 10l4-4", class_="hatch-line")
    return element("pattern", [stripe], id="rework", width=8, height=8, patternUnits="userSpaceOnUse")


def _grid(axis: Axis, height: float) -> list[Markup]:
    marks = [label(LEFT, 18, "start", "axis")]
    for tick in axis.ticks():
        x = LEFT + PLOT * axis.at(tick)
        marks += [line(x, TOP - 6, x, height, "grid"), label(x, 18, lasting(tick), "axis", "middle")]
    return [line(LEFT, TOP - 6, LEFT, height, "grid strong"), *marks]


def _row(stage: Stage, axis: Axis, start: datetime, now: datetime, y: float) -> list[Markup]:
    begin = axis.at(max(0, microseconds(stage.started_at - start)))
    end = axis.at(max(0, microseconds((stage.ended_at or now) - start)))
    x, width = LEFT + PLOT * begin, max(LEAST_WIDTH, PLOT * (end - begin))
    x = min(x, LEFT + PLOT - LEAST_WIDTH)
    name = plain(stage.name) + (f" {stage.round + 1}" if stage.round else "")
    length = lasting(_length(stage, now)) + ("" if stage.ended_at else " …")
    title = f"{name}: {length}" + (f", {stage.loop} loop ({plain(stage.because)})" if stage.loop else "")
    lasts = "" if stage.ended_at else " lasts"
    marks = [
        box(x, y + 4, width, ROW - 8, f"bar {HOLDER[stage.name]}{lasts}", title),
        label(LEFT - 10, y + 17, name, "rework-name" if stage.loop else "name", "end"),
        label(WIDTH - 76, y + 17, length, "value", "end"),
        label(WIDTH - 4, y + 17, short_dollars(stage.cents_open), "value minor", "end"),
    ]
    if stage.loop:
        marks.insert(1, box(x, y + 4, max(width, 6), ROW - 8, "rework", title))
    return marks


def strip(journey: Journey, now: datetime, width: int = 132) -> Markup:
    """The whole journey in one line of a list: shares of its time, the shorter stages at least a hair wide."""
    lengths = [max(1, _length(stage, now)) for stage in journey.stages]
    axis = [math.log1p(length / 1_000) + 0.4 for length in lengths]
    total = sum(axis) or 1.0
    x, marks = 0.0, []
    for stage, length, part in zip(journey.stages, lengths, axis, strict=True):
        wide = width * part / total
        marks.append(
            box(x, 1, max(wide - 0.5, 0.5), 10, f"bar {HOLDER[stage.name]}", f"{plain(stage.name)}: {lasting(length)}")
        )
        if stage.loop:
            marks.append(box(x, 10, max(wide - 0.5, 0.5), 3, "rework-mark"))
        x += wide
    return picture(width, 13, "stages, wider for longer on a logarithmic scale", marks, "strip")
