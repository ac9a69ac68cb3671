"""The messages desk: what the feeds have sent, what became of it, and a second try for what failed."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from kernel.errors import Refused, Unreadable
from rcm.engine.v1 import messages_pb2

from journey.console.desks.actions import OFFERED, Order, act, seen
from journey.console.desks.clients import Away
from journey.console.desks.desk import PAGE, accessed, owners_of, show
from journey.console.desks.forms import Entered
from journey.console.desks.readable import message_rows, readable_text
from journey.console.desks.table_words import DISMISSALS
from journey.console.guard import Biller, Viewer
from journey.console.page import go
from journey.console.sessions import Person

STATES = ("received", "kept", "filtered", "failed", "quarantined", "dismissed")
# From which states a message may be worked on again, and given up: as the engine's table of states has it.
REPLAYED_FROM = frozenset(("kept", "filtered", "failed", "quarantined", "dismissed"))
DISMISSED_FROM = frozenset(("failed", "quarantined"))
SEARCHED = {
    "control_id": "control id",
    "account": "account",
    "visit": "visit",
    "mrn": "patient",
    "resource": "resource (Type/id)",
}


def router() -> APIRouter:
    """The routes of this desk."""
    made = APIRouter()
    made.add_api_route("/messages", search_messages, methods=["GET"])
    made.add_api_route("/messages/{message_id}", one_message, methods=["GET"])
    made.add_api_route("/messages/{message_id}", act_on_message, methods=["POST"])
    return made


async def search_messages(
    request: Request,
    person: Viewer,
    channel: str = "",
    state: str = "",
    by: str = "control_id",
    text: str = "",
    before: int = 0,
) -> Response:
    """A page of messages, the newest first; `by` says which number `text` is."""
    await accessed(request, person, "search" if text else "list", "message")
    wanted = messages_pb2.SearchMessagesRequest(
        channel=channel, states=[state] if state else [], before=max(before, 0), limit=PAGE
    )
    if text and by in SEARCHED:
        setattr(wanted, by, text.strip())
    found = await owners_of(request, person).messages(wanted)
    given = {"channel": channel, "state": state, "by": by if text else "", "text": text}
    return show(
        request,
        "messages.html",
        messages=found.messages,
        next=found.next,
        before=before,
        given=given,
        by=by,
        states=STATES,
        searched=SEARCHED,
    )


async def one_message(request: Request, person: Biller, message_id: str) -> Response:
    """What came, by segment, and what became of it: for those who work with what patients sent."""
    return await _message_page(request, person, message_id)


async def _message_page(
    request: Request, person: Person, message_id: str, problem: str = "", status: int = 200
) -> Response:
    await accessed(request, person, "read", "message", message_id)
    found = await owners_of(request, person).message(message_id)
    message = found.message
    return show(
        request,
        "message.html",
        status,
        message=message,
        rows=message_rows(found.raw),
        raw=readable_text(found.raw),
        size=len(found.raw),
        seen=seen(message),
        replay=message.state in REPLAYED_FROM,
        dismiss=message.state in DISMISSED_FROM,
        dismissals=DISMISSALS,
        problem=problem,
    )


async def act_on_message(request: Request, person: Biller, message_id: str) -> Response:
    """Replays or dismisses a message."""
    entered = Entered.of(await request.form())
    name = entered.text("action")
    await accessed(request, person, name if name in OFFERED["message-failed"] else "unknown", "message", message_id)
    mine = Entered({**entered.values, "message_id": [message_id]})
    try:
        done = await act(owners_of(request, person), "message-failed", name, Order("", mine, person.subject))
    except (Refused, Unreadable, Away) as error:
        status = 503 if isinstance(error, Away) else 409
        return await _message_page(request, person, message_id, error.reason, status)
    return go(request, f"/messages/{message_id}", done.text)
