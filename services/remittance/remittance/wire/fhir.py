"""The small pieces that our FHIR R4 resources are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kernel.codes import NAIC
from kernel.money import from_cents

Json = dict[str, Any]

EXTENSIONS = "https://throughline.example/fhir/StructureDefinition"
WORK = "https://throughline.example/fhir/CodeSystem/work"
PLB = "https://throughline.example/fhir/CodeSystem/provider-adjustment"
TRACE = "https://throughline.example/fhir/identifier/payment-trace"
PAYER_CLAIM = "https://throughline.example/fhir/identifier/payer-claim-number"
CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication"
PAYMENT_TYPE = "http://terminology.hl7.org/CodeSystem/payment-type"
EX_PAYMENT_TYPE = "http://terminology.hl7.org/CodeSystem/ex-paymenttype"


def money(cents: int) -> Json:
    """FHIR Money in US dollars with exactly two decimals."""
    return {"value": Decimal(from_cents(cents)), "currency": "USD"}


def concept(system: str, code: str) -> Json:
    """A CodeableConcept of one coding. No display: code texts are licensed."""
    return {"coding": [{"system": system, "code": code}]}


def payer_reference(payer_id: str, reference: str = "", display: str = "") -> Json:
    """The payer by its resource where we know it, and by its identifier."""
    parts: Json = {"reference": reference} if reference else {}
    parts["identifier"] = {"system": NAIC, "value": payer_id}
    return parts | ({"display": display} if display else {})


def extension(name: str, value: str, content: Any) -> Json:
    """One of our own extensions; `value` is the name of its value element, "valueMoney"."""
    return {"url": f"{EXTENSIONS}/{name}", value: content}
