"""HL7 v2 messages and rows of exports to FHIR R4, by the tables of their channel."""

from interface_engine.wire.hl7.mapping import map_message, map_row, map_rows, subject_of
from interface_engine.wire.hl7.outcome import (
    REASONS,
    ChargeLine,
    Entry,
    Filtered,
    Flaw,
    Keys,
    Mapped,
    Origin,
    Unmapped,
    bundle_of,
)

__all__ = [
    "REASONS",
    "ChargeLine",
    "Entry",
    "Filtered",
    "Flaw",
    "Keys",
    "Mapped",
    "Origin",
    "Unmapped",
    "bundle_of",
    "map_message",
    "map_row",
    "map_rows",
    "subject_of",
]
