"""The remittances desk: what payers sent, whether it adds up, and what became of each claim in it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from rcm.remittance.v1 import remittance_pb2

from journey.console.desks.desk import PAGE, accessed, owners_of, show
from journey.console.desks.readable import x12_rows
from journey.console.guard import Viewer, check_role

STATES = ("posted", "quarantined")
SETTLEMENTS = ("matched", "awaited", "none")
READABLE = 300


def router() -> APIRouter:
    """The routes of this desk."""
    made = APIRouter()
    made.add_api_route("/remittances", list_remittances, methods=["GET"])
    made.add_api_route("/remittances/{remittance_id}", one_remittance, methods=["GET"])
    return made


async def list_remittances(
    request: Request,
    person: Viewer,
    state: str = "",
    settlement: str = "",
    payer: str = "",
    text: str = "",
    after: str = "",
) -> Response:
    """A page of remittances; an exact id or trace number finds one."""
    wanted = remittance_pb2.ListRemittancesRequest(
        state=state, settlement=settlement, payer_id=payer, text=text.strip(), after=after, limit=PAGE
    )
    found = await owners_of(request, person).remittances(wanted)
    given = {"state": state, "settlement": settlement, "payer": payer, "text": text}
    return show(
        request,
        "remittances.html",
        remittances=found.remittances,
        next=found.next,
        given=given,
        after=after,
        states=STATES,
        settlements=SETTLEMENTS,
    )


async def one_remittance(
    request: Request, person: Viewer, remittance_id: str, claims: str = "", lines: str = "", names: str = ""
) -> Response:
    """One remittance: its sums on three levels, a page of its claims and a page of its segments."""
    shown = names == "show"
    if shown:
        check_role(person, "biller")
    await accessed(request, person, "read-names" if shown else "read", "remittance", remittance_id)
    wanted = remittance_pb2.GetRemittanceRequest(
        remittance_id=remittance_id,
        claims_after=claims,
        readable_after=lines,
        readable_limit=READABLE,
        masked=not shown,
    )
    found = await owners_of(request, person).remittance(wanted)
    return show(
        request,
        "remittance.html",
        remittance=found.remittance,
        balance=found.balance,
        claims=found.claims,
        claims_next=found.claims_next,
        adjustments=found.provider_adjustments,
        deposit=found.deposit if found.HasField("deposit") else None,
        rows=x12_rows(found.readable, "835"),
        raw="\n".join(found.readable),
        lines_next=found.readable_next,
        names=shown,
        given={"claims": claims, "lines": lines, "names": names},
    )
