"""Claim status request (276) and response (277): views, builders, readers."""

from x12.views.status.inquiry import build_276, read_276
from x12.views.status.model import LineInquiry, LineStatus, StatusInfo, StatusInquiry
from x12.views.status.reply import build_277, read_277

__all__ = [
    "LineInquiry",
    "LineStatus",
    "StatusInfo",
    "StatusInquiry",
    "build_276",
    "build_277",
    "read_276",
    "read_277",
]
