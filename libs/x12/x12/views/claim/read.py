"""An 837P to claims."""

from __future__ import annotations

from typing import NamedTuple

from x12.tree import Loop, Segment, TransactionSet
from x12.views.adjustment_rows import read_adjustments
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
from x12.views.compose import ViewError
from x12.views.extract import amount, cents, opened, period, required_day, split, whole
from x12.views.extract import day as read_day
from x12.views.parties import Address, Contact, Member, Payer
from x12.views.party_rows import read_address, read_contact, read_diagnoses, read_member, read_provider

_EMPTY = Loop("", ())


class _Above(NamedTuple):
    """What a claim takes from the levels above it."""

    submitter: Submitter
    receiver: Receiver
    billing: BillingProvider
    subscriber: Member
    payer: Payer
    coverage: Coverage


def read_837p(transaction: TransactionSet) -> list[Claim837]:
    """The claims of a set in order. ViewError for another set, or for amounts and dates that are none."""
    root = opened(transaction, "837P")
    mark = transaction.delimiters.component
    submitter, receiver = _submitter(root), _receiver(root)
    claims: list[Claim837] = []
    for provider in root.loops("2000A"):
        billing = _billing(provider)
        for holder in provider.loops("2000B"):
            above = _Above(submitter, receiver, billing, *_subscriber(holder))
            claims += [_claim(loop, above, None, mark) for loop in holder.loops("2300")]
            for dependent in holder.loops("2000C"):
                person = dependent.loop("2010CA") or _EMPTY
                patient = read_member(person, "QC", dependent.value("PAT", 1))
                claims += [_claim(loop, above, patient, mark) for loop in dependent.loops("2300")]
    return claims


def _submitter(root: Loop) -> Submitter:
    loop = root.loop("1000A") or _EMPTY
    contact = read_contact(loop.first("PER")) or Contact()
    return Submitter(id=loop.value("NM1", 9), name=loop.value("NM1", 3), contact=contact)


def _receiver(root: Loop) -> Receiver:
    loop = root.loop("1000B") or _EMPTY
    return Receiver(id=loop.value("NM1", 9), name=loop.value("NM1", 3))


def _billing(level: Loop) -> BillingProvider:
    loop = level.loop("2010AA") or _EMPTY
    return BillingProvider(
        npi=loop.value("NM1", 9),
        tax_id=loop.value("REF", 2, "EI", "SY"),
        tax_id_qualifier=loop.value("REF", 1, "EI", "SY") or "EI",
        name=loop.value("NM1", 3),
        first=loop.value("NM1", 4),
        is_person=loop.value("NM1", 2) == "1",
        address=read_address(loop) or Address("", ""),
        taxonomy=level.value("PRV", 3),
        contact=read_contact(loop.first("PER")),
    )


def _subscriber(level: Loop) -> tuple[Member, Payer, Coverage]:
    person, payer = level.loop("2010BA") or _EMPTY, level.loop("2010BB") or _EMPTY
    return read_member(person, "IL"), _payer(payer), _coverage(level)


def _payer(loop: Loop) -> Payer:
    return Payer(loop.value("NM1", 9), loop.value("NM1", 3), loop.value("NM1", 8) or "PI", read_address(loop))


def _coverage(loop: Loop) -> Coverage:
    return Coverage(
        responsibility=loop.value("SBR", 1),
        group_number=loop.value("SBR", 3),
        group_name=loop.value("SBR", 4),
        insurance_type=loop.value("SBR", 5),
        filing_indicator=loop.value("SBR", 9),
    )


def _claim(loop: Loop, above: _Above, patient: Member | None, mark: str) -> Claim837:
    clm = loop.first("CLM")
    if clm is None:
        raise ViewError("837P/2300/CLM", "missing")
    place, _, frequency = split(clm.get(5), mark, 3)[:3]
    return Claim837(
        **above._asdict(),
        patient=patient,
        control_number=clm.get(1),
        total_cents=cents(clm.get(2), "837P/2300/CLM02"),
        place_of_service=place,
        frequency=frequency,
        signature_on_file=clm.get(6) == "Y",
        assignment=clm.get(7),
        benefits_assigned=clm.get(8),
        release=clm.get(9),
        accident=_accident(loop, clm.get(11), mark),
        onset_date=read_day(loop.value("DTP", 3, "431"), "DTP*431"),
        admission_date=read_day(loop.value("DTP", 3, "435")[:8], "DTP*435"),
        discharge_date=read_day(loop.value("DTP", 3, "096")[:8], "DTP*096"),
        patient_paid_cents=amount(loop, "F5"),
        prior_authorization=loop.value("REF", 2, "G1"),
        referral_number=loop.value("REF", 2, "9F"),
        payer_claim_control=loop.value("REF", 2, "F8"),
        clia=loop.value("REF", 2, "X4"),
        note=loop.value("NTE", 2),
        diagnoses=read_diagnoses(_diagnosis_segment(loop, mark), mark),
        referring=read_provider(loop.loop("2310A")),
        rendering=read_provider(loop.loop("2310B")),
        service_facility=read_provider(loop.loop("2310C")),
        supervising=read_provider(loop.loop("2310D")),
        other_coverages=tuple(_other(other) for other in loop.loops("2320")),
        lines=tuple(_line(line, mark) for line in loop.loops("2400")),
    )


def _diagnosis_segment(loop: Loop, mark: str) -> Segment | None:
    return next((hi for hi in loop.all("HI") if hi.get(1).split(mark, 1)[0] in {"ABK", "BK"}), None)


def _accident(loop: Loop, causes: str, mark: str) -> Accident | None:
    codes = split(causes, mark, 4)
    when = read_day(loop.value("DTP", 3, "439")[:8], "DTP*439")
    if not causes and when is None:
        return None
    return Accident(date=when, auto="AA" in codes[:3], employment="EM" in codes[:3], other="OA" in codes[:3],
                    state=codes[3])  # fmt: skip


def _other(loop: Loop) -> OtherCoverage:
    person, payer = loop.loop("2330A") or _EMPTY, loop.loop("2330B") or _EMPTY
    return OtherCoverage(
        payer=_payer(payer),
        subscriber=read_member(person, "IL"),
        coverage=_coverage(loop),
        relationship=loop.value("SBR", 2),
        adjustments=read_adjustments(loop),
        paid_cents=amount(loop, "D"),
        remaining_cents=amount(loop, "EAF"),
        non_covered_cents=amount(loop, "A8"),
        assignment=loop.value("OI", 3),
        release=loop.value("OI", 6),
        paid_date=read_day(payer.value("DTP", 3, "573"), "DTP*573"),
        claim_control=payer.value("REF", 2, "F8"),
    )


def _line(loop: Loop, mark: str) -> ClaimLine:
    sv1 = loop.first("SV1")
    if sv1 is None:
        raise ViewError("837P/2400/SV1", "missing")
    qualifier, code, *rest = split(sv1.get(1), mark, 7)
    start, end = period(loop.first("DTP", "472"), "837P/2400/DTP*472")
    if start is None:
        raise ViewError("837P/2400/DTP*472", "missing")
    return ClaimLine(
        qualifier=qualifier,
        code=code,
        modifiers=tuple(modifier for modifier in rest[:4] if modifier),
        description=rest[4],
        charge_cents=cents(sv1.get(2), "837P/2400/SV102"),
        unit=sv1.get(3),
        units=sv1.get(4),
        place_of_service=sv1.get(5),
        pointers=tuple(whole(text, "837P/2400/SV107") for text in sv1.get(7).split(mark) if text),
        emergency=sv1.get(9) == "Y",
        date_from=start,
        date_to=end,
        line_control=loop.value("REF", 2, "6R"),
        note=loop.value("NTE", 2),
        drug=_drug(loop.loop("2410"), mark),
        rendering=read_provider(loop.loop("2420A")),
        ordering=read_provider(loop.loop("2420E")),
        referring=read_provider(loop.loop("2420F")),
        adjudications=tuple(_adjudication(item, mark) for item in loop.loops("2430")),
    )


def _drug(loop: Loop | None, mark: str) -> Drug | None:
    if loop is None:
        return None
    return Drug(
        ndc=loop.value("LIN", 3),
        quantity=loop.value("CTP", 4),
        unit=loop.value("CTP", 5).split(mark, 1)[0],
        prescription=loop.value("REF", 2, "XZ"),
    )


def _adjudication(loop: Loop, mark: str) -> LineAdjudication:
    qualifier, code, *rest = split(loop.value("SVD", 3), mark, 7)
    return LineAdjudication(
        payer_id=loop.value("SVD", 1),
        paid_cents=cents(loop.value("SVD", 2), "837P/2430/SVD02"),
        qualifier=qualifier,
        code=code,
        modifiers=tuple(modifier for modifier in rest[:4] if modifier),
        units=loop.value("SVD", 5),
        adjustments=read_adjustments(loop),
        paid_date=required_day(loop.value("DTP", 3, "573"), "837P/2430/DTP*573"),
        remaining_cents=amount(loop, "EAF"),
    )
