"""The claims, professional, institutional and dental: views, builders, readers."""

from x12.views.claim.build import build_837p
from x12.views.claim.dental import DentalClaim, DentalLine, Tooth, build_837d, read_837d, stream_837d
from x12.views.claim.institutional_build import build_837i
from x12.views.claim.institutional_model import (
    Admission,
    InstitutionalClaim,
    InstitutionalLine,
    Occurrence,
    Procedure,
    ValueCode,
)
from x12.views.claim.institutional_read import read_837i, stream_837i
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
from x12.views.claim.read import read_837p, stream_837p

__all__ = [
    "Accident",
    "Admission",
    "BillingProvider",
    "Claim837",
    "ClaimLine",
    "Coverage",
    "DentalClaim",
    "DentalLine",
    "Drug",
    "InstitutionalClaim",
    "InstitutionalLine",
    "LineAdjudication",
    "Occurrence",
    "OtherCoverage",
    "Procedure",
    "Receiver",
    "Submitter",
    "Tooth",
    "ValueCode",
    "build_837d",
    "build_837i",
    "build_837p",
    "read_837d",
    "read_837i",
    "read_837p",
    "stream_837d",
    "stream_837i",
    "stream_837p",
]
