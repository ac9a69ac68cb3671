"""The claims desk: every claim by its state, and one claim with its findings, its money and its file made readable."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response
from kernel.errors import Refused, Unreadable
from rcm.claims.v1 import claims_pb2
from rcm.remittance.v1 import remittance_pb2

from journey.console.desks.clients import Away
from journey.console.desks.desk import PAGE, accessed, owners_of, show
from journey.console.desks.forms import Entered
from journey.console.desks.gather import part_of
from journey.console.desks.lines import lines_of
from journey.console.desks.readable import json_text, x12_rows
from journey.console.guard import Biller, Viewer, check_role
from journey.console.page import go
from journey.console.words import dollars

STATES = (
    "held", "ready", "submitted", "received", "accepted", "rejected", "paid", "partly_paid", "denied", "underpaid",
    "appealed", "reversed", "secondary_due", "replaced", "voided", "written_off", "closed",
)  # fmt: skip
METHODS = ("card", "cash", "check", "ach", "other")


def router() -> APIRouter:
    """The routes of this desk."""
    made = APIRouter()
    made.add_api_route("/claims", list_claims, methods=["GET"])
    made.add_api_route("/claims/{claim_id}", one_claim, methods=["GET"])
    made.add_api_route("/claims/{claim_id}", pay_claim, methods=["POST"])
    return made


async def list_claims(
    request: Request,
    person: Viewer,
    state: str = "",
    payer: str = "",
    text: str = "",
    journey: str = "",
    after: str = "",
) -> Response:
    """A page of claims; an exact id, control number, payer's number or encounter finds one."""
    await accessed(request, person, "search" if text else "list", "claim", journey_id=journey)
    wanted = claims_pb2.ListClaimsRequest(
        journey_id=journey, state=state, payer_id=payer, text=text.strip(), after=after, limit=PAGE
    )
    found = await owners_of(request, person).claims(wanted)
    given = {"state": state, "payer": payer, "text": text, "journey": journey}
    return show(request, "claims.html", claims=found.claims, next=found.next, given=given, after=after, states=STATES)


async def one_claim(request: Request, person: Viewer, claim_id: str, names: str = "") -> Response:
    """One claim. Names, numbers, FHIR and the raw file are shown only when they are asked for."""
    if names == "show":
        check_role(person, "biller")
    return await _claim_page(request, person, claim_id, names == "show")


async def _claim_page(
    request: Request, person: Viewer, claim_id: str, names: bool, problem: str = "", status: int = 200
) -> Response:
    await accessed(request, person, "read-names" if names else "read", "claim", claim_id)
    owners = owners_of(request, person)
    found, masked, ledger, denials = await asyncio.gather(
        owners.claim(claim_id, masked=False),
        part_of(owners.claim(claim_id, masked=True)),
        part_of(owners.ledger(claim_id)),
        part_of(owners.denials_of(claim_id)),
    )
    readable = found.readable if names else masked.value.readable if masked.value else ()
    return show(
        request,
        "claim.html",
        status,
        claim=found.claim,
        history=found.history,
        lines=lines_of(found.claim_json),
        rows=x12_rows(readable, "837"),
        resource=json_text(found.claim_json) if names else "",
        x12=found.x12 if names else "",
        names=names,
        ledger=ledger,
        denials=denials,
        methods=METHODS,
        problem=problem,
    )


async def pay_claim(request: Request, person: Biller, claim_id: str) -> Response:
    """Records what a patient has paid of a claim."""
    entered = Entered.of(await request.form())
    await accessed(request, person, "record-payment", "claim", claim_id)
    try:
        wanted = remittance_pb2.RecordPatientPaymentRequest(
            claim_id=claim_id,
            paid_cents=entered.cents("paid"),
            point_of_service=entered.text("point_of_service") == "yes",
            method=entered.choice("method", METHODS),
        )
        paid = await owners_of(request, person).record_payment(wanted, entered.key)
    except (Refused, Unreadable, Away) as error:
        status = 503 if isinstance(error, Away) else 409
        return await _claim_page(request, person, claim_id, False, error.reason, status)
    return go(request, f"/claims/{claim_id}", f"Recorded: the patient still owes {dollars(paid.patient_open_cents)}.")
