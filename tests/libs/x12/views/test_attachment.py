"""The 275 view: documents come back byte by byte, delimiters and all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from x12 import ViewError, check, read, transaction_sets, write
from x12.views.attachment import Document, build_275, read_275
from x12.views.claim import build_837p
from x12_examples import CLAIM, ENVELOPE, one
from x12_more_examples import ATTACHMENT
from x12_mutations import recounted

OLD, NEW = "005010X210", "006020X314"
_ASCII = st.text(st.characters(min_codepoint=1, max_codepoint=126), min_size=1, max_size=200)


def _plain(content: str) -> Document:
    return Document(trace_number="T1", kind="TX", content=content, filter="ASC")


def test_the_example_comes_back_without_findings() -> None:
    text = build_275(ATTACHMENT, ENVELOPE)
    assert check(one(text)) == []
    assert read_275(one(text)) == ATTACHMENT
    (interchange,) = read(text)
    assert write(interchange) == text


def test_the_older_guide_has_no_filter() -> None:
    text = build_275(ATTACHMENT, ENVELOPE, OLD)
    assert check(one(text)) == []
    found = read_275(one(text))
    assert found == replace(
        ATTACHMENT, documents=tuple(replace(document, filter="") for document in ATTACHMENT.documents)
    )


@settings(max_examples=40, deadline=None)
@given(_ASCII, st.sampled_from((OLD, NEW)), st.integers(1, 40))
def test_any_document_comes_back(content: str, version: str, step: int) -> None:
    """Whatever stands in the document, and however the stream is cut."""
    attachment = replace(ATTACHMENT, documents=(_plain(content),))
    text = build_275(attachment, ENVELOPE, version)
    (transaction,) = transaction_sets(text[at : at + step] for at in range(0, len(text), step))
    assert [document.content for document in read_275(transaction).documents] == [content]


def test_bytes_of_a_document() -> None:
    first, second = ATTACHMENT.documents
    assert first.data() == b"<x>~*:^<"
    assert second.data() == b"PLAIN ~ TEXT * WITH : DELIMITERS ^ SE*1*1~"
    with pytest.raises(ValueError, match="not base64"):
        replace(second, filter="B64").data()


def test_solicited_and_unsolicited() -> None:
    assert "BGN*11*ATT0001*" in build_275(ATTACHMENT, ENVELOPE)
    text = build_275(replace(ATTACHMENT, solicited=False), ENVELOPE)
    assert "BGN*02*ATT0001*" in text
    assert "TRN*1*ASKED1~" in text


@pytest.mark.parametrize(
    ("attachment", "version"),
    [
        (replace(ATTACHMENT, documents=()), NEW),
        (replace(ATTACHMENT, documents=(_plain(""),)), NEW),
        (replace(ATTACHMENT, documents=(_plain("Núñez"),)), NEW),
        (replace(ATTACHMENT, payer_name="A*B"), NEW),
        (ATTACHMENT, "005010X999"),
    ],
)
def test_what_cannot_be_sent_is_refused(attachment: object, version: str) -> None:
    with pytest.raises(ViewError):
        build_275(attachment, ENVELOPE, version)  # type: ignore[arg-type]


def test_reading_another_set_is_refused() -> None:
    with pytest.raises(ViewError):
        read_275(one(build_837p([CLAIM], ENVELOPE)))


def test_the_provider_s_address_may_stand_in_a_loop_of_its_own() -> None:
    text = build_275(replace(ATTACHMENT, documents=(_plain("TEXT"),)), ENVELOPE, OLD)
    address = "NX1*1P~N3*12 ELM ST~N4*SPRINGFIELD*IL*62701~"
    assert check(one(recounted(text.replace("NM1*QC", address + "NM1*QC")))) == []
