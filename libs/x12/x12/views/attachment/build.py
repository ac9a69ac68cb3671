"""Attachments to a 275."""

from __future__ import annotations

from x12.tables.guide_rows import Guide
from x12.tables.guides import GUIDE_275, GUIDE_275_6020
from x12.views.attachment.model import Attachment, Document
from x12.views.compose import Row, ViewError, compose, day, span
from x12.views.envelope import Envelope
from x12.views.parties import Payer
from x12.views.party_rows import member_row, payer_row, provider_row

_GUIDES: dict[str, Guide] = {guide.version: guide for guide in (GUIDE_275, GUIDE_275_6020)}


def build_275(attachment: Attachment, envelope: Envelope, version: str = GUIDE_275_6020.version) -> str:
    """One interchange with one attachment. ViewError when a value cannot be carried, for an unknown version, or without
    a document."""
    guide = _GUIDES.get(version)
    if guide is None or not attachment.documents:
        raise ViewError("275", "an unknown version" if guide is None else "no document")
    payer = Payer(attachment.payer_id, attachment.payer_name, attachment.payer_id_qualifier)
    rows: list[Row] = [
        ("BGN", "11" if attachment.solicited else "02", attachment.reference, day(attachment.created)
         or day(envelope.created)),
        payer_row("PR", payer),
        ("NM1", "41", "2", attachment.submitter_name, "", "", "", "", "46", attachment.submitter_id),
        provider_row("1P", attachment.provider_npi, attachment.provider_name, attachment.provider_first,
                     attachment.provider_is_person),
        member_row("QC", attachment.patient),
    ]  # fmt: skip
    references = (("1K", attachment.payer_claim_number), ("BLT", attachment.bill_type),
                  ("EA", attachment.medical_record), ("EJ", attachment.control_number))  # fmt: skip
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    if attachment.service_from:
        rows.append(("DTP", "472", *span(attachment.service_from, attachment.service_to)))
    for number, document in enumerate(attachment.documents, 1):
        rows += _document_rows(document, number, attachment.solicited, guide)
    return compose(guide, rows, envelope)


def _document_rows(document: Document, number: int, solicited: bool, guide: Guide) -> list[Row]:
    rows: list[Row] = [("LX", str(number)), ("TRN", "2" if solicited else "1", document.trace_number)]
    rows += [("STC", ("R4", question, "", "LOI")) for question in document.questions]
    rows += [("REF", "6R", document.line_control)] if document.line_control else []
    rows += [("DTP", "368", "D8", day(document.submitted))] if document.submitted else []
    rows.append(("CAT", "AE", document.kind))
    if not document.content:
        raise ViewError("275/2100B", "an empty document")
    size = str(len(document.content))
    if guide is GUIDE_275:
        return [*rows, ("EFI", "05"), ("BIN", size, document.content)]
    return [*rows, ("BDS", document.filter, size, document.content)]
