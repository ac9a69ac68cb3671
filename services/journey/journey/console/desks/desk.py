"""What the desks share: the owners for whoever asks, what a page needs of every desk, and the record of accesses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import Request
from fastapi.responses import HTMLResponse
from google.protobuf.timestamp_pb2 import Timestamp
from kernel.codes import is_procedure_code

from journey.console.access import record_access
from journey.console.desks.clients import Owners
from journey.console.desks.table_words import CATEGORIES, CLAIM_STATUS, GROUPS, KINDS, OWNERS, REASONS, TONES, worded
from journey.console.page import console_of, render
from journey.console.sessions import Person

PAGE = 50


def at(stamp: Timestamp) -> datetime | None:
    """An instant of a message with its zone; None when it was not set."""
    return stamp.ToDatetime(UTC) if stamp.seconds or stamp.nanos else None


def owners_of(request: Request, person: Person) -> Owners:
    """The other services, asked for this person's tenant."""
    return Owners(console_of(request).runtime.channel, person.tenant)


async def accessed(
    request: Request, person: Person, action: str, kind: str, item: str = "", journey_id: str = ""
) -> None:
    """Records who sees or does what, before it is shown or done."""
    await record_access(console_of(request).database, person, action, kind, item, journey_id)


def show(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page of a desk, with the words of the desks and a new idempotency key for its forms."""
    words = {
        "kinds": KINDS,
        "owners": OWNERS,
        "tones": TONES,
        "groups": GROUPS,
        "categories": CATEGORIES,
        "claim_status": CLAIM_STATUS,
        "reasons": REASONS,
        "worded": worded,
        "billable": is_procedure_code,
        "at": at,
        "new_key": lambda: str(uuid4()),
    }
    return render(request, f"desks/{template}", status, **{**words, **context})
