"""TA1, 999 and 277CA: views, builders, readers."""

from x12.views.acknowledgment.claims import build_277ca, read_277ca
from x12.views.acknowledgment.groups import build_999, read_999
from x12.views.acknowledgment.interchange import build_ta1, read_ta1
from x12.views.acknowledgment.model import (
    ClaimAcknowledgment,
    ClaimStatus,
    ElementError,
    GroupAcknowledgment,
    InterchangeAcknowledgment,
    SegmentError,
    SetAcknowledgment,
    Status,
)

__all__ = [
    "ClaimAcknowledgment",
    "ClaimStatus",
    "ElementError",
    "GroupAcknowledgment",
    "InterchangeAcknowledgment",
    "SegmentError",
    "SetAcknowledgment",
    "Status",
    "build_277ca",
    "build_999",
    "build_ta1",
    "read_277ca",
    "read_999",
    "read_ta1",
]
