"""Source channels as data: which codes a sender uses, what they are on a claim, and what holds when nobody knows."""

from interface_engine.rules.coding import Mapped, map_codes
from interface_engine.rules.loading import load_sources
from interface_engine.rules.source import CodeRow, Source

__all__ = ["CodeRow", "Mapped", "Source", "load_sources", "map_codes"]
