"""The work queues: what waits for a person in the order in which deciding it is worth most, and the decision itself."""

from __future__ import annotations

from datetime import UTC, date

from fastapi import APIRouter, Request
from fastapi.responses import Response
from kernel.errors import Refused, Unreadable
from rcm.claims.v1 import claims_pb2

from journey.console.desks.actions import ACTIONS, OFFERED, Order, act, seen
from journey.console.desks.clients import Away
from journey.console.desks.desk import PAGE, accessed, owners_of, show
from journey.console.desks.forms import Entered, proposed_text
from journey.console.desks.gather import About, Gathered, gather, part_of
from journey.console.desks.lines import lines_of
from journey.console.desks.patients import compare_patients
from journey.console.desks.table_words import DISMISSALS, KINDS, OWNERS, WRITE_OFFS
from journey.console.guard import Biller, Viewer
from journey.console.page import console_of, go, link
from journey.console.sessions import Person
from journey.kpi import read
from journey.kpi.model import WorkFilter, WorkItem

BLANK_LINES = 3


def router() -> APIRouter:
    """The routes of this desk."""
    made = APIRouter()
    made.add_api_route("/work", list_work, methods=["GET"])
    made.add_api_route("/work/{work_id}", one_item, methods=["GET"])
    made.add_api_route("/work/{work_id}", act_on_item, methods=["POST"])
    return made


def _today(request: Request) -> date:
    return console_of(request).database.clock.now().astimezone(UTC).date()


async def list_work(
    request: Request,
    person: Viewer,
    kind: str = "",
    owner: str = "",
    payer: str = "",
    overdue: str = "",
    text: str = "",
    after: str = "",
    state: str = "open",
) -> Response:
    """A page of work by its filters; an exact id of a work item, claim or encounter leads there."""
    given = {"kind": kind, "owner": owner, "payer": payer, "overdue": overdue, "text": text, "state": state}
    if text.strip() and (found := await _find(request, person, text.strip())):
        return go(request, f"/work/{found}")
    wanted = WorkFilter(kind=kind, owner=owner, payer=payer, overdue=bool(overdue), state=state)
    async with console_of(request).database.transaction(person.tenant) as conn:
        counts = await read.work_counts(conn, _today(request))
        page = await read.work_items(conn, wanted, _today(request), after, PAGE)
    return show(
        request,
        "work.html",
        counts=counts,
        items=page.rows,
        next=page.next,
        given=given,
        after=after,
        missed=bool(text.strip()),
        all_kinds=[(name, one.title) for name, one in KINDS.items()],
        all_owners=list(OWNERS.items()),
    )


async def _find(request: Request, person: Person, text: str) -> str:
    """The work item of this id, or the one that this claim or encounter waits for; empty when there is none."""
    async with console_of(request).database.transaction(person.tenant) as conn:
        try:
            return (await read.work_item(conn, text, _today(request))).work_id
        except Refused:
            pass
    found = await part_of(owners_of(request, person).claims(claims_pb2.ListClaimsRequest(text=text, limit=10)))
    waiting = (claim.work_id for claim in found.value.claims if claim.work_id) if found.value else iter(())
    return next(waiting, "")


async def one_item(request: Request, person: Viewer, work_id: str) -> Response:
    """One work item: what it is, why, what belongs to it, and what can be done."""
    return await _item_page(request, person, work_id, Entered())


async def _item_page(
    request: Request, person: Person, work_id: str, entered: Entered, problem: str = "", status: int = 200
) -> Response:
    async with console_of(request).database.transaction(person.tenant) as conn:
        item = await read.work_item(conn, work_id, _today(request))
    await accessed(request, person, "read", "work", work_id, item.journey_id)
    found = await gather(owners_of(request, person), item.kind, About(work_id, item.journey_id, item.claim_id))
    return show(
        request,
        "item.html",
        status,
        item=item,
        kind=KINDS.get(item.kind),
        found=found,
        offered=OFFERED.get(item.kind, ()) if item.closed_at is None else (),
        may=person.may("biller"),
        entered=entered,
        problem=problem,
        lines=lines_of(found.claim.value.claim_json) if found.claim.value else [],
        compared=_compared(found) if person.may("biller") else [],
        seen=seen(found.message.value.message) if found.message.value else "",
        proposed_text=proposed_text,
        blank_lines=BLANK_LINES,
        dismissals=DISMISSALS,
        write_offs=WRITE_OFFS,
    )


def _compared(found: Gathered) -> list[object]:
    """The two Patients of a pair, as far as both could be read."""
    pair = found.subject.value.pair if found.subject.value else ("", "")
    texts = {one.id: one.patient for part in found.patients if part.value is not None for one in part.value.patients}
    return list(compare_patients(texts[pair[0]], texts[pair[1]])) if set(pair) <= set(texts) else []


async def act_on_item(request: Request, person: Biller, work_id: str) -> Response:
    """Does what the form says, once; what its owner refuses is shown beside what was entered."""
    entered = Entered.of(await request.form())
    name = entered.text("action")
    item = await _item(request, person, work_id)
    await accessed(request, person, name if name in ACTIONS else "unknown", "work", work_id, item.journey_id)
    try:
        order = Order(work_id, entered, person.subject)
        done = await act(owners_of(request, person), item.kind, name, order)
    except (Refused, Unreadable, Away) as error:
        status = 503 if isinstance(error, Away) else 409
        return await _item_page(request, person, work_id, entered, error.reason, status)
    return go(request, link(f"/work/{work_id}"), done.text, "good" if done.settled else "note")


async def _item(request: Request, person: Person, work_id: str) -> WorkItem:
    async with console_of(request).database.transaction(person.tenant) as conn:
        return await read.work_item(conn, work_id, _today(request))
