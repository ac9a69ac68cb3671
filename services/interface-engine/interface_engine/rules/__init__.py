"""Channels as data: which fields and codes a sender uses, what they are on a claim, what holds when nobody knows."""

from interface_engine.rules.book import ChannelBook
from interface_engine.rules.channel import Channel
from interface_engine.rules.coding import Mapped, map_codes
from interface_engine.rules.loading import load_channels, load_sources
from interface_engine.rules.source import CodeRow, Source

__all__ = ["Channel", "ChannelBook", "CodeRow", "Mapped", "Source", "load_channels", "load_sources", "map_codes"]
