"""FHIR R4 reading, writing and validation with exact decimals."""

from fhir_r4.codec import Resource, read, read_optional, write
from fhir_r4.issues import Issue, has_errors, outcome, outcome_of
from fhir_r4.second_reader import second_opinion
from fhir_r4.validation import validate

__all__ = [
    "Issue",
    "Resource",
    "has_errors",
    "outcome",
    "outcome_of",
    "read",
    "read_optional",
    "second_opinion",
    "validate",
    "write",
]
