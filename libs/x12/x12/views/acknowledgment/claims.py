"""The 277CA, both ways."""

from __future__ import annotations

from itertools import groupby

from x12.tables.guides import GUIDE_277CA
from x12.tree import Loop, Segment, TransactionSet
from x12.views.acknowledgment.model import ClaimAcknowledgment, ClaimStatus, Status
from x12.views.compose import Row, ViewError, compose, day, money, span
from x12.views.envelope import Envelope
from x12.views.extract import amount, cents, opened, period, required_day, split
from x12.views.parties import Payer
from x12.views.party_rows import payer_row, provider_row

_EMPTY = Loop("", ())
_STC_COMPOSITES = (1, 10, 11)


def build_277ca(answer: ClaimAcknowledgment, envelope: Envelope) -> str:
    """One interchange that answers one 837. Neighbouring claims of one billing provider share a level."""
    at = envelope.created
    source = Payer(answer.source_id, answer.source_name, answer.source_id_qualifier)
    accepted = [claim for claim in answer.claims if claim.accepted]
    rows: list[Row] = [
        ("BHT", "0085", "08", answer.reference or answer.trace_number, day(at), f"{at:%H%M}", "TH"),
        ("HL", "1", "", "20", "1"),
        payer_row(answer.source_entity, source),
        ("TRN", "1", answer.trace_number),
        ("DTP", "050", "D8", day(answer.received_date)),
        ("DTP", "009", "D8", day(answer.processed_date)),
        ("HL", "2", "1", "21", "1" if answer.claims else "0"),
        ("NM1", "41", "2", answer.submitter_name, "", "", "", "", "46", answer.submitter_id),
        ("TRN", "2", answer.batch_reference),
        _batch_row(answer),
    ]
    counts = (("90", len(accepted)), ("AA", len(answer.claims) - len(accepted)))
    rows += [("QTY", qualifier, str(count)) for qualifier, count in counts if count]
    amounts = (("YU", answer.accepted_cents), ("YY", answer.rejected_cents))
    rows += [("AMT", qualifier, money(value)) for qualifier, value in amounts if value is not None]
    return compose(GUIDE_277CA, rows + _provider_levels(answer.claims), envelope)


def _batch_row(answer: ClaimAcknowledgment) -> Row:
    total = sum(claim.amount_cents for claim in answer.claims)
    action = "WQ" if answer.batch_status.accepted else "U"
    return ("STC", _composite(answer.batch_status), day(answer.processed_date), action, money(total))


def _composite(status: Status) -> tuple[str, ...]:
    return (status.category, status.code, status.entity)


def _provider_levels(claims: tuple[ClaimStatus, ...]) -> list[Row]:
    rows: list[Row] = []
    number = 2
    for provider, members in groupby(claims, key=_provider):
        number += 1
        provider_number = number
        npi, name, first, is_person = provider
        rows += [("HL", str(number), "2", "19", "1"), provider_row("85", npi, name, first, is_person)]
        for claim in members:
            number += 1
            rows += [("HL", str(number), str(provider_number), "PT"), *_claim_rows(claim)]
    return rows


def _provider(claim: ClaimStatus) -> tuple[str, str, str, bool]:
    return claim.provider_npi, claim.provider_name, claim.provider_first, claim.provider_is_person


def _claim_rows(claim: ClaimStatus) -> list[Row]:
    if not claim.statuses:
        raise ViewError("277CA/2200D/STC", "a claim without a status")
    member = ("MI", claim.member_id) if claim.member_id else ("", "")
    rows: list[Row] = [
        ("NM1", "QC", "1", claim.last, claim.first, "", "", "", *member),
        ("TRN", "2", claim.control_number),
    ]
    for at in range(0, len(claim.statuses), 3):
        first, *more = [_composite(status) for status in claim.statuses[at : at + 3]]
        second, third = [*more, (), ()][:2]
        rows.append(
            ("STC", first, day(claim.status_date), "WQ" if claim.accepted else "U", money(claim.amount_cents),
             "", "", "", "", "", second, third, claim.message if at == 0 else "")
        )  # fmt: skip
    references = (("1K", claim.payer_claim_number), ("D9", claim.clearinghouse_number))
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    if claim.service_from:
        rows.append(("DTP", "472", *span(claim.service_from, claim.service_to)))
    return rows


def read_277ca(transaction: TransactionSet) -> ClaimAcknowledgment:
    """The claim statuses of a set. ViewError for another set, or without the batch's status and dates."""
    root = opened(transaction, "277CA")
    mark = transaction.delimiters.component
    source = root.loop("2000A") or _EMPTY
    submitter = source.loop("2000B") or _EMPTY
    payer, received = source.loop("2100A") or _EMPTY, source.loop("2200A") or _EMPTY
    batch, sender = submitter.loop("2200B") or _EMPTY, submitter.loop("2100B") or _EMPTY
    trace_number, reference = received.value("TRN", 2), root.value("BHT", 3)
    statuses = _statuses(batch, mark)
    return ClaimAcknowledgment(
        source_id=payer.value("NM1", 9),
        source_name=payer.value("NM1", 3),
        source_entity=payer.value("NM1", 1),
        source_id_qualifier=payer.value("NM1", 8),
        submitter_id=sender.value("NM1", 9),
        submitter_name=sender.value("NM1", 3),
        trace_number=trace_number,
        reference="" if reference == trace_number else reference,
        batch_reference=batch.value("TRN", 2),
        received_date=required_day(received.value("DTP", 3, "050"), "277CA/2200A/DTP*050"),
        processed_date=required_day(received.value("DTP", 3, "009"), "277CA/2200A/DTP*009"),
        batch_status=statuses[0] if statuses else Status(category="", code=""),
        accepted_cents=amount(batch, "YU"),
        rejected_cents=amount(batch, "YY"),
        claims=tuple(_claims(submitter, mark)),
    )


def _statuses(loop: Loop, mark: str) -> tuple[Status, ...]:
    texts = (segment.get(at) for segment in loop.all("STC") for at in _STC_COMPOSITES)
    parts = (split(text, mark, 3) for text in texts if text)
    return tuple(Status(category=part[0], code=part[1], entity=part[2]) for part in parts)


def _claims(submitter: Loop, mark: str) -> list[ClaimStatus]:
    found = []
    for level in submitter.loops("2000C"):
        provider = level.loop("2100C") or _EMPTY
        for patient in level.loops("2000D"):
            name = (patient.loop("2100D") or _EMPTY).first("NM1") or Segment("NM1", (), 0)
            found += [_claim(loop, name, provider, mark) for loop in patient.loops("2200D")]
    return found


def _claim(loop: Loop, name: Segment, provider: Loop, mark: str) -> ClaimStatus:
    start, end = period(loop.first("DTP", "472"), "277CA/2200D/DTP*472")
    return ClaimStatus(
        control_number=loop.value("TRN", 2),
        statuses=_statuses(loop, mark),
        status_date=required_day(loop.value("STC", 2), "277CA/2200D/STC02"),
        amount_cents=cents(loop.value("STC", 4), "277CA/2200D/STC04"),
        message=loop.value("STC", 12),
        payer_claim_number=loop.value("REF", 2, "1K"),
        clearinghouse_number=loop.value("REF", 2, "D9"),
        last=name.get(3),
        first=name.get(4),
        member_id=name.get(9),
        service_from=start,
        service_to=end,
        provider_npi=provider.value("NM1", 9),
        provider_name=provider.value("NM1", 3),
        provider_first=provider.value("NM1", 4),
        provider_is_person=provider.value("NM1", 2) == "1",
    )
