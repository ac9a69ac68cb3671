"""The professional claim: view, builder, reader."""

from x12.views.claim.build import build_837p
from x12.views.claim.model import (
    Accident,
    BillingProvider,
    Claim837,
    ClaimLine,
    Coverage,
    Drug,
    LineAdjudication,
    OtherCoverage,
    Receiver,
    Submitter,
)
from x12.views.claim.read import read_837p

__all__ = [
    "Accident",
    "BillingProvider",
    "Claim837",
    "ClaimLine",
    "Coverage",
    "Drug",
    "LineAdjudication",
    "OtherCoverage",
    "Receiver",
    "Submitter",
    "build_837p",
    "read_837p",
]
