"""claim.submitted to the claim's account."""

from __future__ import annotations

from fhir_r4 import read
from rcm.billing.v1.billing_pb2 import ServiceLine
from rcm.claims.v1.claims_pb2 import ClaimChanged

from remittance.model.claim import AccountLine, ClaimAccount


def account_of(body: ClaimChanged, journey_id: str, trace: str) -> ClaimAccount:
    """The account of a claim that went out. Provider and insurer come from its FHIR Claim, where it has one."""
    claim = read(body.claim_json) if body.claim_json else {}
    return ClaimAccount(
        claim_id=body.claim_id,
        control_number=body.control_number,
        payer_id=body.payer_id,
        billed_cents=body.total_cents,
        encounter=body.encounter,
        patient=body.patient,
        coverage=body.coverage,
        provider=str(claim.get("provider", {}).get("reference", "")),
        insurer=str(claim.get("insurer", {}).get("reference", "")),
        journey_id=journey_id,
        trace=trace,
        payer_claim_number=body.payer_claim_number,
        responsibility=body.responsibility or 1,
        lines=tuple(_line(number, line) for number, line in enumerate(body.lines, 1)),
        payer_class=body.payer_class,
    )


def _line(number: int, line: ServiceLine) -> AccountLine:
    return AccountLine(
        sequence=number,
        control_number=line.control_number,
        code=line.code,
        charge_cents=line.charge_cents,
        modifiers=tuple(line.modifiers),
        units=line.units,
        service_from=line.service_from,
    )
