"""What every kind of 837 reads in the same way: header, levels, other payers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from x12.tree import Loop
from x12.views.adjustment_rows import read_adjustments
from x12.views.claim.model import (
    Accident,
    BillingProvider,
    Coverage,
    Drug,
    LineAdjudication,
    OtherCoverage,
    Receiver,
    Submitter,
)
from x12.views.extract import amount, cents, required_day, split
from x12.views.extract import day as read_day
from x12.views.parties import Address, Contact, Member, Payer
from x12.views.party_rows import read_address, read_contact, read_member

EMPTY = Loop("", ())


class Above(NamedTuple):
    """What a claim takes from the levels above it."""

    submitter: Submitter
    receiver: Receiver
    billing: BillingProvider
    subscriber: Member
    payer: Payer
    coverage: Coverage
    patient: Member | None


def claim_loops(root: Loop) -> Iterator[tuple[Above, Loop]]:
    """Every 2300 loop in order, with what stands above it."""
    submitter, receiver = _submitter(root), _receiver(root)
    for provider in root.loops("2000A"):
        billing = _billing(provider)
        for holder in provider.loops("2000B"):
            above = Above(submitter, receiver, billing, *_subscriber(holder), None)
            for loop in holder.loops("2300"):
                yield above, loop
            for dependent in holder.loops("2000C"):
                person = dependent.loop("2010CA") or EMPTY
                patient = read_member(person, "QC", dependent.value("PAT", 1))
                for loop in dependent.loops("2300"):
                    yield above._replace(patient=patient), loop


def _submitter(root: Loop) -> Submitter:
    loop = root.loop("1000A") or EMPTY
    contact = read_contact(loop.first("PER")) or Contact()
    return Submitter(id=loop.value("NM1", 9), name=loop.value("NM1", 3), contact=contact)


def _receiver(root: Loop) -> Receiver:
    loop = root.loop("1000B") or EMPTY
    return Receiver(id=loop.value("NM1", 9), name=loop.value("NM1", 3))


def _billing(level: Loop) -> BillingProvider:
    loop = level.loop("2010AA") or EMPTY
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
    person, payer = level.loop("2010BA") or EMPTY, level.loop("2010BB") or EMPTY
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


def read_accident(loop: Loop, causes: str, mark: str) -> Accident | None:
    """CLM11 and DTP*439."""
    codes = split(causes, mark, 4)
    when = read_day(loop.value("DTP", 3, "439")[:8], "DTP*439")
    if not causes and when is None:
        return None
    return Accident(date=when, auto="AA" in codes[:3], employment="EM" in codes[:3], other="OA" in codes[:3],
                    state=codes[3])  # fmt: skip


def read_other(loop: Loop) -> OtherCoverage:
    """Loop 2320 with 2330A and 2330B."""
    person, payer = loop.loop("2330A") or EMPTY, loop.loop("2330B") or EMPTY
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


def read_drug(loop: Loop | None, mark: str) -> Drug | None:
    """Loop 2410."""
    if loop is None:
        return None
    return Drug(
        ndc=loop.value("LIN", 3),
        quantity=loop.value("CTP", 4),
        unit=loop.value("CTP", 5).split(mark, 1)[0],
        prescription=loop.value("REF", 2, "XZ"),
    )


def read_adjudication(loop: Loop, mark: str) -> LineAdjudication:
    """Loop 2430."""
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
