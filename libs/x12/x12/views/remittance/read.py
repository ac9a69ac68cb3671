"""An 835 to a remittance."""

from __future__ import annotations

from collections.abc import Iterator

from x12.portions import portions
from x12.read import Source
from x12.tree import Loop, Segment, TransactionSet
from x12.views.adjustment_rows import read_adjustments
from x12.views.compose import ViewError
from x12.views.extract import amount, cents, opened, optional_cents, required_day, split
from x12.views.extract import day as read_day
from x12.views.party_rows import read_address, read_contact
from x12.views.remittance.model import (
    BankTransfer,
    ClaimPayment,
    LinePayment,
    ProviderAdjustment,
    RemitPayee,
    RemitPayer,
    RemitPerson,
    Remittance,
)

_EMPTY = Loop("", ())
# 1L group number has its own field; MIA05 and MIA20-23 are remark codes like MOA03-07
_MIA_REMARKS = (5, 20, 21, 22, 23)
_MOA_REMARKS = (3, 4, 5, 6, 7)


def read_835(transaction: TransactionSet) -> Remittance:
    """The remittance of a set. ViewError for another set, or for amounts and dates that are none."""
    root = opened(transaction, "835")
    mark = transaction.delimiters.component
    bpr = root.first("BPR")
    if bpr is None:
        raise ViewError("835/BPR", "missing")
    return Remittance(
        payer=_payer(root.loop("1000A") or _EMPTY),
        payee=_payee(root.loop("1000B") or _EMPTY),
        amount_cents=cents(bpr.get(2), "835/BPR02"),
        credit_debit=bpr.get(3),
        handling=bpr.get(1),
        method=bpr.get(4),
        payment_format=bpr.get(5),
        originating_company=bpr.get(10),
        bank=_bank(bpr),
        payment_date=required_day(bpr.get(16), "835/BPR16"),
        trace_number=root.value("TRN", 2),
        trace_origin=root.value("TRN", 3),
        receiver_id=root.value("REF", 2, "EV"),
        production_date=read_day(root.value("DTM", 2, "405"), "835/DTM*405"),
        claims=tuple(_claims(root, mark)),
        provider_adjustments=tuple(_provider_adjustments(root, mark)),
    )


def stream_835(data: Source) -> Iterator[ClaimPayment]:
    """The payments of remittances of any size, one after another; sums and provider adjustments are left to
    `balance_stream`. ViewError as from `read_835`, when it comes to the place."""
    for part in portions(data):
        yield from read_835(part).claims


def _bank(bpr: Segment) -> BankTransfer | None:
    if not (bpr.get(7) or bpr.get(13)):
        return None
    return BankTransfer(
        sender_routing=bpr.get(7),
        sender_qualifier=bpr.get(8),
        sender_account=bpr.get(9),
        receiver_routing=bpr.get(13),
        receiver_qualifier=bpr.get(14),
        receiver_account=bpr.get(15),
    )


def _payer(loop: Loop) -> RemitPayer:
    return RemitPayer(
        name=loop.value("N1", 2),
        address=read_address(loop),
        id=loop.value("REF", 2, "2U"),
        contact=read_contact(loop.first("PER", "BL")),
        claims_contact=read_contact(loop.first("PER", "CX")),
    )


def _payee(loop: Loop) -> RemitPayee:
    qualifier, number = loop.value("N1", 3), loop.value("N1", 4)
    return RemitPayee(
        name=loop.value("N1", 2),
        npi=number if qualifier == "XX" else "",
        tax_id=number if qualifier == "FI" else loop.value("REF", 2, "TJ"),
        address=read_address(loop),
    )


def _claims(root: Loop, mark: str) -> Iterator[ClaimPayment]:
    for header in root.loops("2000"):
        assigned_number = header.value("LX", 1)
        for loop in header.loops("2100"):
            yield _claim(loop, assigned_number, mark)


def _claim(loop: Loop, assigned_number: str, mark: str) -> ClaimPayment:
    clp = loop.first("CLP")
    if clp is None:
        raise ViewError("835/2100/CLP", "missing")
    return ClaimPayment(
        assigned_number=assigned_number,
        control_number=clp.get(1),
        status=clp.get(2),
        charge_cents=cents(clp.get(3), "835/2100/CLP03"),
        paid_cents=cents(clp.get(4), "835/2100/CLP04"),
        patient_responsibility_cents=cents(clp.get(5), "835/2100/CLP05"),
        filing_indicator=clp.get(6),
        payer_claim_number=clp.get(7),
        place_of_service=clp.get(8),
        frequency=clp.get(9),
        adjustments=read_adjustments(loop),
        patient=_person(loop, "QC"),
        insured=_person(loop, "IL"),
        corrected=_person(loop, "74"),
        rendering=_person(loop, "82"),
        crossover_payer=loop.value("NM1", 3, "TT"),
        crossover_payer_id=loop.value("NM1", 9, "TT"),
        remark_codes=_remarks(loop),
        group_number=loop.value("REF", 2, "1L"),
        original_claim_number=loop.value("REF", 2, "F8"),
        prior_authorization=loop.value("REF", 2, "G1"),
        date_from=read_day(loop.value("DTM", 2, "232"), "835/2100/DTM*232"),
        date_to=read_day(loop.value("DTM", 2, "233"), "835/2100/DTM*233"),
        received_date=read_day(loop.value("DTM", 2, "050"), "835/2100/DTM*050"),
        coverage_expired=read_day(loop.value("DTM", 2, "036"), "835/2100/DTM*036"),
        coverage_cents=amount(loop, "AU"),
        interest_cents=amount(loop, "I"),
        lines=tuple(_line(line, mark) for line in loop.loops("2110")),
    )


def _person(loop: Loop, entity: str) -> RemitPerson | None:
    name = loop.first("NM1", entity)
    if name is None:
        return None
    return RemitPerson(
        last=name.get(3),
        first=name.get(4),
        middle=name.get(5),
        suffix=name.get(7),
        id_qualifier=name.get(8),
        id=name.get(9),
        is_person=name.get(2) != "2",
    )


def _remarks(loop: Loop) -> tuple[str, ...]:
    inpatient, outpatient = loop.first("MIA"), loop.first("MOA")
    codes = [inpatient.get(at) for at in _MIA_REMARKS] if inpatient else []
    codes += [outpatient.get(at) for at in _MOA_REMARKS] if outpatient else []
    return tuple(code for code in codes if code)


def _line(loop: Loop, mark: str) -> LinePayment:
    svc = loop.first("SVC")
    if svc is None:
        raise ViewError("835/2110/SVC", "missing")
    qualifier, code, *rest = split(svc.get(1), mark, 7)
    billed_as, billed_code, *billed = split(svc.get(6), mark, 7)
    single = loop.value("DTM", 2, "472")
    return LinePayment(
        qualifier=qualifier,
        code=code,
        modifiers=tuple(modifier for modifier in rest[:4] if modifier),
        charge_cents=cents(svc.get(2), "835/2110/SVC02"),
        paid_cents=cents(svc.get(3), "835/2110/SVC03"),
        revenue_code=svc.get(4),
        units=svc.get(5) or "1",
        original_qualifier=billed_as,
        original_code=billed_code,
        original_modifiers=tuple(modifier for modifier in billed[:4] if modifier),
        original_units=svc.get(7),
        date_from=read_day(single or loop.value("DTM", 2, "150"), "835/2110/DTM"),
        date_to=read_day(loop.value("DTM", 2, "151"), "835/2110/DTM*151"),
        adjustments=read_adjustments(loop),
        line_control=loop.value("REF", 2, "6R"),
        rendering_npi=loop.value("REF", 2, "HPI"),
        allowed_cents=amount(loop, "B6"),
        remark_codes=tuple(segment.get(2) for segment in loop.all("LQ", "HE")),
    )


def _provider_adjustments(root: Loop, mark: str) -> Iterator[ProviderAdjustment]:
    """Every pair of every PLB."""
    for plb in root.all("PLB"):
        period = required_day(plb.get(2), "835/PLB02")
        for at in range(3, len(plb.elements) + 1, 2):
            value = optional_cents(plb.get(at + 1), f"835/PLB{at + 1:02d}")
            if value is None and not plb.get(at):
                continue
            reason, reference = split(plb.get(at), mark, 2)[:2]
            yield ProviderAdjustment(
                provider_id=plb.get(1), fiscal_period_end=period, reason=reason, reference=reference,
                amount_cents=value or 0,
            )  # fmt: skip
