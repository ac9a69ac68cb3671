"""An 835 as a FHIR R4 PaymentReconciliation: the claims it pays, and its provider adjustments in extensions."""

from __future__ import annotations

from datetime import datetime

from fhir_r4.compose import concept, money, own_extension

from remittance.model.advice import ProviderAdjustment
from remittance.model.events import RemittanceTaken
from remittance.wire.fhir import PAYMENT_TYPE, PLB, TRACE, Json, payer_reference


def reconciliation(taken: RemittanceTaken, now: datetime) -> Json:
    """Its id is the remittance's. PLB has no place of its own: a detail of type adjustment with extensions."""
    remittance = taken.remittance
    details = [_claim(claim_id, cents) for claim_id, cents in taken.settled]
    details += map(_provider_adjustment, taken.provider_adjustments)
    resource: Json = {
        "resourceType": "PaymentReconciliation",
        "id": remittance.remittance_id,
        "status": "active",
        "created": now.isoformat(),
        "paymentIssuer": payer_reference(remittance.payer_id, display=remittance.payer_name),
        "outcome": "complete" if not taken.unmatched else "partial",
        "paymentDate": remittance.payment_date.isoformat(),
        "paymentAmount": money(remittance.paid_cents),
        "paymentIdentifier": {"system": TRACE, "value": remittance.trace_number},
    }
    return resource | ({"detail": details} if details else {})


def _claim(claim_id: str, cents: int) -> Json:
    return {
        "type": concept(PAYMENT_TYPE, "payment"),
        "request": {"reference": f"Claim/{claim_id}"},
        "amount": money(cents),
    }


def _provider_adjustment(adjustment: ProviderAdjustment) -> Json:
    """The amount as it acts on the payment: a positive PLB amount reduces it."""
    parts = [
        own_extension("plb-reason", "CodeableConcept", concept(PLB, adjustment.reason)),
        own_extension("plb-fiscal-period-end", "Date", adjustment.fiscal_period_end.isoformat()),
        own_extension("plb-provider", "String", adjustment.provider_id),
    ]
    if adjustment.reference:
        parts.append(own_extension("plb-reference", "String", adjustment.reference))
    return {
        "extension": parts,
        "type": concept(PAYMENT_TYPE, "adjustment"),
        "amount": money(-adjustment.amount_cents),
    }
