"""A 275 to attachments."""

from __future__ import annotations

from x12.tree import Loop, TransactionSet
from x12.views.attachment.model import Attachment, Document
from x12.views.compose import ViewError
from x12.views.extract import day as read_day
from x12.views.extract import opened, period, split
from x12.views.party_rows import read_member

_EMPTY = Loop("", ())


def read_275(transaction: TransactionSet) -> Attachment:
    """The attachment of a set. ViewError for another set, or for dates that are none."""
    root = opened(transaction, "275", "275-6020")
    mark = transaction.delimiters.component
    payer, submitter = root.loop("1000A") or _EMPTY, root.loop("1000B") or _EMPTY
    provider, patient = root.loop("1000C") or _EMPTY, root.loop("1000D") or _EMPTY
    start, end = period(patient.first("DTP", "472"), "275/1000D/DTP*472")
    return Attachment(
        reference=root.value("BGN", 2),
        solicited=root.value("BGN", 1) == "11",
        created=read_day(root.value("BGN", 3), "275/BGN03"),
        payer_id=payer.value("NM1", 9),
        payer_name=payer.value("NM1", 3),
        payer_id_qualifier=payer.value("NM1", 8) or "PI",
        submitter_id=submitter.value("NM1", 9),
        submitter_name=submitter.value("NM1", 3),
        provider_npi=provider.value("NM1", 9),
        provider_name=provider.value("NM1", 3),
        provider_first=provider.value("NM1", 4),
        provider_is_person=provider.value("NM1", 2) == "1",
        patient=read_member(patient, "QC"),
        control_number=patient.value("REF", 2, "EJ"),
        payer_claim_number=patient.value("REF", 2, "1K"),
        bill_type=patient.value("REF", 2, "BLT"),
        medical_record=patient.value("REF", 2, "EA"),
        service_from=start,
        service_to=end,
        documents=tuple(
            _document(level, carried, mark) for level in root.loops("2000A") for carried in level.loops("2100B")
        ),
    )


def _document(level: Loop, carried: Loop, mark: str) -> Document:
    binary, encoded = carried.first("BIN"), carried.first("BDS")
    if binary is None and encoded is None:
        raise ViewError("275/2100B", "a document is missing")
    statuses = (split(segment.get(1), mark, 2) for segment in level.all("STC"))
    return Document(
        trace_number=level.value("TRN", 2),
        kind=carried.value("CAT", 2),
        content=encoded.get(3) if encoded else carried.value("BIN", 2),
        filter=encoded.get(1) if encoded else "",
        questions=tuple(parts[1] for parts in statuses),
        submitted=read_day((level.loop("2100A") or _EMPTY).value("DTP", 3, "368"), "275/2100A/DTP*368"),
        line_control=level.value("REF", 2, "6R"),
    )
