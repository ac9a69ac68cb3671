"""The KPIs a second time: plain Python over the raw facts. It shares no code with the projections and their SQL, so
that a mistake in one of the two shows as a difference."""

from journey.kpi.recount.books import Books, Sum
from journey.kpi.recount.heard import Heard

__all__ = ["Books", "Heard", "Sum"]
