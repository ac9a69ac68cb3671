"""The gRPC door to the message store: search, show, replay, dismiss."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bus import Database
from chassis import call_of
from google.protobuf.timestamp_pb2 import Timestamp
from kernel.errors import Refused, Unreadable
from rcm.engine.v1 import messages_pb2 as pb
from rcm.engine.v1.messages_pb2_grpc import MessageServiceServicer

from interface_engine.handlers.messages import dismiss_message, replay_message
from interface_engine.model_messages import DISMISSED, MESSAGE_STATES, Message, Wanted
from interface_engine.store.messages import Messages

_PAGE, _LARGEST_PAGE = 50, 500
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True)
class MessageServicer(MessageServiceServicer):
    """Messages of the caller's tenant. `arrived` wakes the worker when something is to be done again."""

    database: Database
    arrived: asyncio.Event

    async def SearchMessages(self, request: pb.SearchMessagesRequest, context: Any) -> pb.SearchMessagesResponse:
        wanted = _wanted(request)
        async with self.database.unit(call_of(context).tenant) as unit:
            found = await Messages(unit).find(wanted)
        following = found[-1].position if len(found) == wanted.limit else 0
        return pb.SearchMessagesResponse(messages=[_write(one) for one in found], next=following)

    async def GetMessage(self, request: pb.GetMessageRequest, context: Any) -> pb.GetMessageResponse:
        async with self.database.unit(call_of(context).tenant) as unit:
            found = await Messages(unit).message(_id(request.id))
        if found is None:
            raise Refused("message-not-found", "there is no such message", "not_found")
        return pb.GetMessageResponse(message=_write(found), raw=found.raw)

    async def ReplayMessages(self, request: pb.ReplayMessagesRequest, context: Any) -> pb.ReplayMessagesResponse:
        """Each in a transaction of its own, the oldest first: one that cannot be replayed keeps no other back."""
        tenant = call_of(context).tenant
        ids = [_id(one) for one in request.ids] or await self._matching(tenant, request.matching)
        replayed: list[str] = []
        refused: list[str] = []
        for one in ids:
            try:
                async with self.database.unit(tenant) as unit:
                    await replay_message(Messages(unit), unit, one)
                replayed.append(one)
            except Refused:
                refused.append(one)
        self.arrived.set()
        return pb.ReplayMessagesResponse(replayed=replayed, refused=refused)

    async def _matching(self, tenant: str, request: pb.SearchMessagesRequest) -> Sequence[str]:
        """All of them, page by page."""
        wanted = replace(_wanted(request), limit=_LARGEST_PAGE)
        if wanted == Wanted(limit=_LARGEST_PAGE):
            raise Unreadable("message-replay", "matching", "name ids, or what to look for: not everything at once")
        found: list[str] = []
        while True:
            async with self.database.unit(tenant) as unit:
                page = await Messages(unit).find(wanted)
            found.extend(one.id for one in page)
            if len(page) < _LARGEST_PAGE:
                return found[::-1]
            wanted = replace(wanted, before=page[-1].position)

    async def DismissMessage(self, request: pb.DismissMessageRequest, context: Any) -> pb.DismissMessageResponse:
        if not re.fullmatch(r"[a-z0-9-]{1,64}", request.reason):
            raise Unreadable("dismiss-reason", "reason", "a short code such as sent-in-error is needed")
        async with self.database.unit(call_of(context).tenant) as unit:
            found = await dismiss_message(Messages(unit), unit, _id(request.id), request.reason)
        self.arrived.set()
        return pb.DismissMessageResponse(message=_write(replace(found, state=DISMISSED, reason=request.reason)))


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise Unreadable("message-id", "id", "a message id is a UUID") from None


def _wanted(request: pb.SearchMessagesRequest) -> Wanted:
    if set(request.states) - MESSAGE_STATES.states:
        raise Unreadable("message-state", "states", f"states are {', '.join(sorted(MESSAGE_STATES.states))}")
    if request.resource and not _REFERENCE.fullmatch(request.resource):
        raise Unreadable("message-resource", "resource", "Type/id is needed")
    return Wanted(
        channel=request.channel,
        mrn=request.mrn,
        account=request.account,
        visit=request.visit,
        control_id=request.control_id,
        resource=request.resource,
        states=tuple(request.states),
        since=request.since.ToDatetime(UTC) if request.HasField("since") else None,
        before=request.before or None,
        limit=min(request.limit, _LARGEST_PAGE) if request.limit > 0 else _PAGE,
    )


def _write(message: Message) -> pb.FeedMessage:
    return pb.FeedMessage(
        id=message.id,
        position=message.position,
        channel=message.channel,
        received_at=_instant(message.received_at),
        control_id=message.control_id,
        kind=message.kind,
        mrn=message.mrn,
        account=message.account,
        visit=message.visit,
        state=message.state,
        reason=message.reason,
        path=message.path,
        finished_at=_instant(message.finished_at),
        resources=message.resources,
    )


def _instant(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    made = Timestamp()
    made.FromDatetime(moment)
    return made
