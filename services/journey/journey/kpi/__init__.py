"""The KPIs: tables filled from facts, formulas over them, a second computation, and what the pages read."""

from journey.kpi.parts import KpiParts, KpiProjection, parts, projection

__all__ = ["KpiParts", "KpiProjection", "parts", "projection"]
