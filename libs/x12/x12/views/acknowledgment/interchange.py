"""TA1, both ways: the answer to an interchange, outside of any group."""

from __future__ import annotations

from datetime import datetime

from x12.tree import Interchange
from x12.views.acknowledgment.model import InterchangeAcknowledgment
from x12.views.compose import ViewError, envelope_only
from x12.views.envelope import Envelope


def build_ta1(answer: InterchangeAcknowledgment, envelope: Envelope) -> str:
    """An interchange that holds nothing but the TA1. `created` is the date and time of the interchange answered."""
    at = answer.created
    row = ("TA1", answer.control_number, f"{at:%y%m%d}", f"{at:%H%M}", answer.status, answer.note)
    return envelope_only([row], envelope)


def read_ta1(interchange: Interchange) -> list[InterchangeAcknowledgment]:
    """Every TA1 of an interchange, wherever its sender put it outside of the sets."""
    strays = [*interchange.strays, *(segment for group in interchange.groups for segment in group.strays)]
    found = []
    for segment in strays:
        if segment.id == "TA1":
            try:
                created = datetime.strptime(segment.get(2) + segment.get(3), "%y%m%d%H%M")  # noqa: DTZ007 ISA has no zone
            except ValueError:
                raise ViewError("TA102", "not a date and time") from None
            found.append(
                InterchangeAcknowledgment(
                    control_number=segment.get(1), created=created, status=segment.get(4), note=segment.get(5)
                )
            )
    return found
