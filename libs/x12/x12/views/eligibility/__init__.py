"""Eligibility question and answer: views, builders, readers."""

from x12.views.eligibility.inquiry import build_270, read_270
from x12.views.eligibility.model import (
    ACTIVE_CODES,
    INACTIVE_CODES,
    Benefit,
    EligibilityInquiry,
    EligibilityReply,
    OtherPayer,
)
from x12.views.eligibility.reply import build_271, read_271

__all__ = [
    "ACTIVE_CODES",
    "INACTIVE_CODES",
    "Benefit",
    "EligibilityInquiry",
    "EligibilityReply",
    "OtherPayer",
    "build_270",
    "build_271",
    "read_270",
    "read_271",
]
