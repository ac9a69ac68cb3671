"""HL7 v2 over HTTP: a message is posted, its acknowledgement is the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fhir_r4 import outcome_of

from interface_engine.entry_gate import AuditTrail, Gate
from interface_engine.entry_intake import Intake
from interface_engine.model import Rejected
from interface_engine.model_access import Access, Caller
from interface_engine.rules.channel import HL7V2, Channel

PATH = "/hl7v2/{channel}"
# What HAPI's HL7 over HTTP and others call it.
_TYPES = ("x-application/hl7-v2+er7", "application/hl7-v2", "application/hl7-v2+er7", "text/plain")
_SCOPE = "MessageHeader"


@dataclass(frozen=True)
class MessageDoor:
    """`channels` are those in force now. A client posts to the feed that it is registered for."""

    gate: Gate
    audit: AuditTrail
    intake: Intake
    channels: Callable[[], Mapping[str, Channel]]

    async def post(self, request: Request) -> Response:
        """The acknowledgement, 200 whatever it says; 202 when the sender wants none. 503 when nothing can be kept."""
        caller = await self.gate.caller(request.headers.get("authorization", ""))
        channel = self._channel(caller, str(request.path_params["channel"]))
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _TYPES:
            raise Rejected(415, outcome_of("not-supported", f"read here: {', '.join(_TYPES)}"))
        body = await request.body()
        if len(body) > channel.transport.max_bytes:
            raise Rejected(413, outcome_of("too-long", "the message is larger than the feed may send"))
        taken = await self.intake.take(channel, body)
        status = 200 if taken.ack else 202
        await self.audit.record(
            Access(caller.client.tenant, caller.client.id, self.gate.clock.now(), "C", "hl7v2", status=status)
        )
        return Response(taken.ack, status, media_type=kind)

    def _channel(self, caller: Caller, name: str) -> Channel:
        """Rejected 404 for a feed that is none, or is not this client's: it learns nothing of the others."""
        caller.require(_SCOPE, "c")
        channel = self.channels().get(name)
        if channel is None or channel.format != HL7V2 or caller.client.source != name:
            raise Rejected(404, outcome_of("not-found", "no feed of that name is this client's"))
        return channel


def add_message_route(app: FastAPI, door: MessageDoor) -> None:
    """The route, beside the FHIR address."""
    app.router.add_route(PATH, door.post, methods=["POST"], include_in_schema=False)
