"""A remittance to an 835."""

from __future__ import annotations

from itertools import groupby

from x12.tables.guides import GUIDE_835
from x12.views.adjustment_rows import adjustment_rows
from x12.views.compose import Row, ViewError, compose, day, money
from x12.views.envelope import Envelope
from x12.views.party_rows import address_rows, contact_rows
from x12.views.remittance.model import (
    ClaimPayment,
    LinePayment,
    ProviderAdjustment,
    RemitPayee,
    RemitPerson,
    Remittance,
)


def build_835(remittance: Remittance, envelope: Envelope) -> str:
    """One interchange with one set. ViewError when a value cannot be carried. Nothing is balanced here."""
    payer = remittance.payer
    rows: list[Row] = [
        _bpr(remittance),
        ("TRN", "1", remittance.trace_number, remittance.trace_origin),
        *([("REF", "EV", remittance.receiver_id)] if remittance.receiver_id else []),
        *([("DTM", "405", day(remittance.production_date))] if remittance.production_date else []),
        ("N1", "PR", payer.name),
        *address_rows(payer.address),
        *([("REF", "2U", payer.id)] if payer.id else []),
        *contact_rows("CX", payer.claims_contact),
        *contact_rows("BL", payer.contact),
        *_payee_rows(remittance.payee),
    ]
    for number, claims in groupby(remittance.claims, key=lambda claim: claim.assigned_number):
        rows.append(("LX", number))
        rows += [row for claim in claims for row in _claim_rows(claim)]
    return compose(GUIDE_835, rows + _provider_rows(remittance.provider_adjustments), envelope)


def _bpr(remittance: Remittance) -> Row:
    bank = remittance.bank
    head = ("BPR", remittance.handling, money(remittance.amount_cents), remittance.credit_debit, remittance.method,
            remittance.payment_format)  # fmt: skip
    if bank is None:
        return (*head, "", "", "", "", remittance.originating_company, "", "", "", "", "", day(remittance.payment_date))
    return (
        *head, "01", bank.sender_routing, bank.sender_qualifier, bank.sender_account, remittance.originating_company,
        "", "01", bank.receiver_routing, bank.receiver_qualifier, bank.receiver_account, day(remittance.payment_date),
    )  # fmt: skip


def _payee_rows(payee: RemitPayee) -> list[Row]:
    qualifier, number = ("XX", payee.npi) if payee.npi else ("FI", payee.tax_id)
    rows: list[Row] = [("N1", "PE", payee.name, qualifier, number), *address_rows(payee.address)]
    return rows + ([("REF", "TJ", payee.tax_id)] if payee.npi and payee.tax_id else [])


def _claim_rows(claim: ClaimPayment) -> list[Row]:
    responsibility = claim.patient_responsibility_cents
    rows: list[Row] = [
        ("CLP", claim.control_number, claim.status, money(claim.charge_cents), money(claim.paid_cents),
         money(responsibility) if responsibility else "", claim.filing_indicator, claim.payer_claim_number,
         claim.place_of_service, claim.frequency),
        *adjustment_rows(claim.adjustments),
    ]  # fmt: skip
    people = (("QC", claim.patient), ("IL", claim.insured), ("74", claim.corrected), ("82", claim.rendering))
    rows += [_person(entity, person) for entity, person in people if person]
    if claim.crossover_payer or claim.crossover_payer_id:
        qualifier = "PI" if claim.crossover_payer_id else ""
        rows.append(("NM1", "TT", "2", claim.crossover_payer, "", "", "", "", qualifier, claim.crossover_payer_id))
    rows += _remark_rows(claim.remark_codes)
    references = (("1L", claim.group_number), ("F8", claim.original_claim_number), ("G1", claim.prior_authorization))
    rows += [("REF", qualifier, value) for qualifier, value in references if value]
    dates = (("232", claim.date_from), ("233", claim.date_to), ("050", claim.received_date),
             ("036", claim.coverage_expired))  # fmt: skip
    rows += [("DTM", qualifier, day(value)) for qualifier, value in dates if value]
    amounts = (("AU", claim.coverage_cents), ("I", claim.interest_cents))
    rows += [("AMT", qualifier, money(value)) for qualifier, value in amounts if value is not None]
    return rows + [row for line in claim.lines for row in _line_rows(line)]


def _person(entity: str, person: RemitPerson) -> Row:
    kind = "1" if person.is_person else "2"
    return ("NM1", entity, kind, person.last, person.first, person.middle, "", person.suffix, person.id_qualifier,
            person.id)  # fmt: skip


def _remark_rows(codes: tuple[str, ...]) -> list[Row]:
    """MOA carries five claim-level remark codes."""
    if len(codes) > 5:
        raise ViewError("835/2100/MOA", "more than five remark codes")
    return [("MOA", "", "", *codes)] if codes else []


def _line_rows(line: LinePayment) -> list[Row]:
    original = (line.original_qualifier or "HC", line.original_code, *line.original_modifiers)
    units = "" if line.units == "1" and not line.original_code and not line.original_units else line.units
    rows: list[Row] = [
        ("SVC", (line.qualifier, line.code, *line.modifiers), money(line.charge_cents), money(line.paid_cents),
         line.revenue_code, units, original if line.original_code else "", line.original_units),
        *_date_rows(line),
        *adjustment_rows(line.adjustments),
    ]  # fmt: skip
    rows += [("REF", "6R", line.line_control)] if line.line_control else []
    rows += [("REF", "HPI", line.rendering_npi)] if line.rendering_npi else []
    rows += [("AMT", "B6", money(line.allowed_cents))] if line.allowed_cents is not None else []
    return rows + [("LQ", "HE", code) for code in line.remark_codes]


def _date_rows(line: LinePayment) -> list[Row]:
    if line.date_from and (line.date_to is None or line.date_to == line.date_from):
        return [("DTM", "472", day(line.date_from))]
    dates = (("150", line.date_from), ("151", line.date_to))
    return [("DTM", qualifier, day(value)) for qualifier, value in dates if value]


def _provider_rows(adjustments: tuple[ProviderAdjustment, ...]) -> list[Row]:
    """Neighbours of one provider and period share a PLB of up to six pairs."""
    rows: list[Row] = []
    for (provider, period), members in groupby(adjustments, key=lambda a: (a.provider_id, a.fiscal_period_end)):
        listed = list(members)
        for at in range(0, len(listed), 6):
            row: Row = ("PLB", provider, day(period))
            for item in listed[at : at + 6]:
                row = (*row, (item.reason, item.reference), money(item.amount_cents))
            rows.append(row)
    return rows
