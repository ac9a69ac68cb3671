"""The code systems of what a payer decided, and the payer as our FHIR R4 resources name it."""

from __future__ import annotations

from typing import Any

from kernel.codes import LINE, NAIC

Json = dict[str, Any]

PLB = f"{LINE}/CodeSystem/provider-adjustment"
TRACE = f"{LINE}/identifier/payment-trace"
PAYER_CLAIM = f"{LINE}/identifier/payer-claim-number"
CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication"
PAYMENT_TYPE = "http://terminology.hl7.org/CodeSystem/payment-type"
EX_PAYMENT_TYPE = "http://terminology.hl7.org/CodeSystem/ex-paymenttype"


def payer_reference(payer_id: str, reference: str = "", display: str = "") -> Json:
    """The payer by its resource where we know it, and by its identifier."""
    parts: Json = {"reference": reference} if reference else {}
    parts["identifier"] = {"system": NAIC, "value": payer_id}
    return parts | ({"display": display} if display else {})
