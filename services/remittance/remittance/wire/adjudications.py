"""What a payer decided on a claim, as FHIR R4 ClaimResponse and ExplanationOfBenefit.

Each CAS triplet is an adjudication of its own: category is the group code, reason the CARC. Totals are by category.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fhir_r4.compose import concept, money
from kernel.codes import CARC, CAS_GROUP, CPT, HCPCS, NPI, RARC, is_cpt

from remittance.model.advice import Adjustment, ClaimPayment, LinePayment
from remittance.model.claim import PATIENT, AccountLine, ClaimAccount, match_lines
from remittance.model.events import ClaimSettled
from remittance.model.identity import derived_id
from remittance.model.remittance import ReceivedRemittance
from remittance.wire.fhir import ADJUDICATION, CLAIM_TYPE, EX_PAYMENT_TYPE, PAYER_CLAIM, TRACE, Json, payer_reference

_OUTCOME = {"denied": "complete", "partly_paid": "partial", "paid": "complete"}
_PATIENT_PARTS = {"1": "deductible", "3": "copay"}


def claim_response(settled: ClaimSettled, now: datetime) -> Json:
    """The ClaimResponse of a posting; its id is derived from the posting."""
    account, payment, remittance = _decided(settled)
    resource = _head("ClaimResponse", settled, now)
    resource["insurer"] = payer_reference(account.payer_id, account.insurer)
    resource["request"] = {"reference": f"Claim/{account.claim_id}"}
    resource["outcome"] = _OUTCOME[settled.outcome]
    resource["disposition"] = settled.outcome
    items, additions = _items(account.lines, payment.lines)
    resource |= {"item": items} if items else {}
    resource |= {"addItem": additions} if additions else {}
    return resource | _foot(settled, payment, remittance)


def explanation(settled: ClaimSettled, now: datetime) -> Json:
    """The ExplanationOfBenefit of a posting, with the lines as they were billed and as they were decided."""
    account, payment, remittance = _decided(settled)
    resource = _head("ExplanationOfBenefit", settled, now)
    resource["insurer"] = payer_reference(account.payer_id, account.insurer)
    resource["provider"] = {"reference": account.provider} if account.provider else _unnamed_provider(payment)
    resource["claim"] = {"reference": f"Claim/{account.claim_id}"}
    resource["claimResponse"] = {"reference": f"ClaimResponse/{resource_id('ClaimResponse', settled)}"}
    resource["outcome"] = _OUTCOME[settled.outcome]
    resource["insurance"] = [{"focal": True, "coverage": _coverage(account)}]
    items, additions = _items(account.lines, payment.lines, billed_code=True)
    resource |= {"item": items} if items else {}
    resource |= {"addItem": additions} if additions else {}
    return resource | _foot(settled, payment, remittance)


def resource_id(kind: str, settled: ClaimSettled) -> str:
    """The id under which a posting's resource of that kind is known."""
    return derived_id(kind, settled.posting_id)


def _decided(settled: ClaimSettled) -> tuple[ClaimAccount, ClaimPayment, ReceivedRemittance]:
    if settled.payment is None or settled.remittance is None:
        raise ValueError("no payer decided this")
    return settled.account, settled.payment, settled.remittance


def _head(kind: str, settled: ClaimSettled, now: datetime) -> Json:
    account, payment, _ = _decided(settled)
    head: Json = {"resourceType": kind, "id": resource_id(kind, settled)}
    if payment.payer_claim_number:
        head["identifier"] = [{"system": PAYER_CLAIM, "value": payment.payer_claim_number}]
    return head | {
        "status": "active",
        "type": concept(CLAIM_TYPE, "professional"),
        "use": "claim",
        "patient": {"reference": account.patient} if account.patient else {"display": "not named"},
        "created": now.isoformat(),
    }


def _foot(settled: ClaimSettled, payment: ClaimPayment, remittance: ReceivedRemittance) -> Json:
    own = [*map(_adjustment, payment.adjustments), *map(_remark, payment.remark_codes)]
    foot: Json = {"adjudication": own} if own else {}
    foot["total"] = _totals(settled, payment)
    foot["payment"] = {
        "type": concept(EX_PAYMENT_TYPE, "partial" if settled.outcome == "partly_paid" else "complete"),
        "date": remittance.payment_date.isoformat(),
        "amount": money(payment.paid_cents),
        "identifier": {"system": TRACE, "value": remittance.trace_number},
    }
    return foot


def _totals(settled: ClaimSettled, payment: ClaimPayment) -> list[Json]:
    """Submitted, benefit, and the patient's part as deductible, copay and the rest."""
    amounts = {"submitted": payment.charge_cents, "benefit": payment.paid_cents}
    for item in settled.adjudication.classified if settled.adjudication else ():
        if item.kind == PATIENT:
            name = _PATIENT_PARTS.get(item.adjustment.reason, "coinsurance")
            amounts[name] = amounts.get(name, 0) + item.adjustment.amount_cents
    return [{"category": _category(name), "amount": money(cents)} for name, cents in amounts.items()]


def _category(name: str) -> Json:
    system = ADJUDICATION if name != "coinsurance" else "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBAdjudication"
    return concept(system, name)


def _items(
    billed: tuple[AccountLine, ...], paid: tuple[LinePayment, ...], *, billed_code: bool = False
) -> tuple[list[Json], list[Json]]:
    """Lines that are ours by their sequence, and those that the payer brought in by itself."""
    items: list[Json] = []
    additions: list[Json] = []
    for own, line in zip(match_lines(billed, paid), paid, strict=True):
        if own is None:
            additions.append({"productOrService": _code(line.code)} | _decision(line))
        else:
            items.append(_item(own, line, billed_code))
    return items, additions


def _item(own: AccountLine, line: LinePayment, billed_code: bool) -> Json:
    if not billed_code:
        return {"itemSequence": own.sequence} | _decision(line)
    item: Json = {"sequence": own.sequence, "productOrService": _code(own.code)}
    if own.modifiers:
        item["modifier"] = [_code(modifier) for modifier in own.modifiers]
    if own.service_from:
        item["servicedDate"] = own.service_from
    return item | {"net": money(own.charge_cents)} | _decision(line)


def _decision(line: LinePayment) -> Json:
    """Submitted, benefit, allowed where the payer tells it, then each adjustment by itself."""
    parts: list[Any] = [_amount("submitted", line.charge_cents), _amount("benefit", line.paid_cents)]
    if line.allowed_cents is not None:
        parts.append(_amount("eligible", line.allowed_cents))
    parts += [*map(_adjustment, line.adjustments), *map(_remark, line.remark_codes)]
    return {"adjudication": parts}


def _amount(category: str, cents: int) -> Json:
    return {"category": concept(ADJUDICATION, category), "amount": money(cents)}


def _adjustment(adjustment: Adjustment) -> Json:
    return {
        "category": concept(CAS_GROUP, adjustment.group),
        "reason": concept(CARC, adjustment.reason),
        "amount": money(adjustment.amount_cents),
    }


def _remark(code: str) -> Json:
    return {"category": concept(RARC, code)}


def _code(code: str) -> Json:
    return concept(CPT if is_cpt(code) else HCPCS, code)


def _coverage(account: ClaimAccount) -> Json:
    return {"reference": account.coverage} if account.coverage else {"display": "not named"}


def _unnamed_provider(payment: ClaimPayment) -> Json:
    npi = payment.rendering_npi
    return {"identifier": {"system": NPI, "value": npi}} if npi else {"display": "billing provider"}
