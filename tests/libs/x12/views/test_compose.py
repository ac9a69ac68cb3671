"""The envelope of everything that goes out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from x12 import Envelope, ViewError, check, read
from x12.views.claim import build_837p
from x12.views.eligibility import build_270
from x12_examples import CLAIM, ENVELOPE, INQUIRY


def test_isa_has_its_fixed_width_and_the_numbers_agree() -> None:
    text = build_270(INQUIRY, ENVELOPE)
    assert text[105] == "~"
    (interchange,) = read(text)
    assert check(interchange) == []
    assert interchange.header.get(13) == "000000042"
    assert interchange.groups[0].header.get(1) == "HS"


def test_application_ids_and_usage() -> None:
    envelope = replace(ENVELOPE, application_sender="APP1", application_receiver="APP2", usage="P", group_control=7)
    (interchange,) = read(build_270(INQUIRY, envelope))
    assert interchange.groups[0].header.elements[1:3] == ("APP1", "APP2")
    assert interchange.groups[0].header.get(6) == "7"
    assert interchange.header.get(15) == "P"
    assert check(interchange) == []


@pytest.mark.parametrize(
    "envelope",
    [
        replace(ENVELOPE, sender_id="A*B"),
        replace(ENVELOPE, sender_id="A~"),
        replace(ENVELOPE, receiver_id="X" * 16),
        replace(ENVELOPE, receiver_id=""),
        replace(ENVELOPE, sender_id="SENDER\n"),
        replace(ENVELOPE, control_number=0),
        replace(ENVELOPE, control_number=10**9),
        replace(ENVELOPE, set_control="0001~"),
        replace(ENVELOPE, application_sender="A:B"),
    ],
)
def test_envelopes_that_cannot_be(envelope: Envelope) -> None:
    with pytest.raises(ViewError):
        build_270(INQUIRY, envelope)


def test_the_batch_reference_of_a_claim_file_is_its_control_number() -> None:
    (interchange,) = read(build_837p([CLAIM], ENVELOPE))
    bht = next(segment for segment in interchange.segments() if segment.id == "BHT")
    assert bht.get(3) == "000000042"


def test_long_numbers_count_digits_only() -> None:
    """The length of a decimal leaves out its sign and point."""
    claim = replace(CLAIM, total_cents=-(10**17 - 1))
    assert "*-999999999999999.99*" in build_837p([claim], ENVELOPE)
    with pytest.raises(ViewError):
        build_837p([replace(CLAIM, total_cents=10**18 + 1)], ENVELOPE)
