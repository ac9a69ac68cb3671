"""From decided claims to a remittance: which claims, what interest, what total. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from x12.views.claim import BillingProvider
from x12.views.parties import Contact
from x12.views.remittance import (
    BankTransfer,
    ClaimPayment,
    ProviderAdjustment,
    RemitPayee,
    RemitPayer,
    Remittance,
)

from simulator.bank import OUR_ACCOUNT, OUR_BANK
from simulator.model import Payer

_INTEREST_EVERY = 5
_INTEREST_CENTS = -125


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid: the billing provider of the claims."""

    npi: str
    tax_id: str
    name: str


def payee_of(billing: BillingProvider) -> Payee:
    return Payee(billing.npi, billing.tax_id, billing.name)


def remit(payer: Payer, payee: Payee, claims: Sequence[ClaimPayment], number: int, today: date) -> Remittance:
    """The payer's `number`-th remittance. sum(claims' paid) - sum(provider adjustments) = amount, never negative.

    Every fifth pays interest (L6). What a takeback leaves below zero is carried forward (FB, RFI 1604).
    """
    paid = sum(claim.paid_cents for claim in claims)
    interest = _INTEREST_CENTS if number % _INTEREST_EVERY == 0 else 0
    carried = min(0, paid - interest)
    trace = f"{payer.letter}{number:09d}"
    adjustments = _adjustments(payee, today, trace, (("L6", interest), ("FB", carried)))
    amount = paid - interest - carried
    return Remittance(
        payer=RemitPayer(
            name=payer.name, address=payer.address, id=payer.id, contact=Contact(name="CLAIMS", phone="5125550122")
        ),
        payee=RemitPayee(name=payee.name, npi=payee.npi, tax_id=payee.tax_id),
        amount_cents=amount,
        payment_date=today,
        trace_number=trace,
        trace_origin=f"1{payer.tax_id}",
        claims=tuple(claims),
        provider_adjustments=adjustments,
        method="ACH" if amount else "NON",
        handling="I" if amount else "H",
        payment_format="CCP" if amount else "",
        bank=_transfer(payer) if amount else None,
        originating_company=f"1{payer.tax_id}",
        production_date=today,
    )


def _transfer(payer: Payer) -> BankTransfer:
    return BankTransfer(
        sender_routing=payer.routing,
        sender_account=payer.account,
        receiver_routing=OUR_BANK,
        receiver_account=OUR_ACCOUNT,
    )


def _adjustments(
    payee: Payee, today: date, reference: str, rows: Sequence[tuple[str, int]]
) -> tuple[ProviderAdjustment, ...]:
    year_end = date(today.year, 12, 31)
    return tuple(
        ProviderAdjustment(
            provider_id=payee.npi, fiscal_period_end=year_end, reason=reason, amount_cents=cents, reference=reference
        )
        for reason, cents in rows
        if cents
    )
