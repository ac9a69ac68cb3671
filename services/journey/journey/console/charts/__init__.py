"""Charts as inline SVG: no script, no colours of their own (the style sheet has them), and a table behind each."""

from journey.console.charts.bars import columns, levels, split
from journey.console.charts.benchmarks import against_benchmarks
from journey.console.charts.waterfall import strip, waterfall

__all__ = ["against_benchmarks", "columns", "levels", "split", "strip", "waterfall"]
