"""What people and the worker do with stored messages: fail them with a work item, replay them, dismiss them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from fhir_r4 import write
from fhir_r4.work_task import work_task
from google.protobuf.message import Message as Body
from kernel.codes import LINE
from kernel.errors import Refused
from kernel.identifiers import uuid7
from rcm.work.v1 import work_pb2

from interface_engine.model_messages import DISMISSED, MESSAGE_STATES, RECEIVED, Ending, Message

KIND, OWNER = "message-failed", "it"
IDENTIFIER = f"{LINE}/identifier/message"


class Store(Protocol):
    """The message store, in one open transaction."""

    async def message(self, message_id: str, *, lock: bool = False) -> Message | None: ...
    async def finish(self, message_id: str, ending: Ending, work_id: str = "") -> bool: ...
    async def again(self, message_id: str) -> None: ...
    async def dismiss(self, message_id: str, reason: str) -> None: ...


class Outbox(Protocol):
    """Facts of the open transaction."""

    @property
    def now(self) -> datetime: ...
    async def emit(self, type: str, body: Body, *, key: str) -> str: ...


async def fail_message(store: Store, outbox: Outbox, message: Message, ending: Ending) -> None:
    """Keeps why it cannot succeed and opens a work item. What came after it for the same patient waits."""
    work_id = uuid7()
    if await store.finish(message.id, ending, work_id):
        await open_work(outbox, message.id, work_id, ending.reason)


async def open_work(outbox: Outbox, message_id: str, work_id: str, reason: str) -> None:
    """Somebody has to decide what becomes of a message."""
    body = work_pb2.WorkOpened(
        work_id=work_id,
        kind=KIND,
        reason=reason,
        owner=OWNER,
        task=write(_task(work_id, message_id, reason, "open", outbox.now)),
    )
    await outbox.emit("work.opened", body, key=work_id)


async def replay_message(store: Store, outbox: Outbox, message_id: str) -> Message:
    """Has a message worked on again, in its old place, with the rules of today. Refused when that is not possible."""
    message = await _wanted(store, message_id)
    if message.state == RECEIVED:
        return message
    MESSAGE_STATES.check(message.state, RECEIVED)
    await store.again(message_id)
    await _close(outbox, message, "resolved")
    return message


async def dismiss_message(store: Store, outbox: Outbox, message_id: str, reason: str) -> Message:
    """A person has decided that it shall not be worked on; what waited behind it goes on."""
    message = await _wanted(store, message_id)
    if message.state == DISMISSED:
        return message
    MESSAGE_STATES.check(message.state, DISMISSED)
    await store.dismiss(message_id, reason)
    await _close(outbox, message, "cancelled")
    return message


async def _wanted(store: Store, message_id: str) -> Message:
    message = await store.message(message_id, lock=True)
    if message is None:
        raise Refused("message-not-found", "there is no such message", "not_found")
    return message


async def _close(outbox: Outbox, message: Message, outcome: str) -> None:
    if not message.work_id:
        return
    task = write(_task(message.work_id, message.id, message.reason, outcome, outbox.now))
    body = work_pb2.WorkClosed(work_id=message.work_id, kind=KIND, outcome=outcome, task=task)
    await outbox.emit("work.closed", body, key=message.work_id)


def _task(work_id: str, message_id: str, reason: str, state: str, now: datetime) -> dict[str, Any]:
    task = work_task(work_id, KIND, state, now, focus="", reason=reason, owner=OWNER, opened_at=now)
    return task | {"identifier": [{"system": IDENTIFIER, "value": message_id}]}
