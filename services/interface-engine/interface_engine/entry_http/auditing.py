"""What the audit is told of a request, or of an entry of a Bundle that told or did something by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from opentelemetry import trace

from interface_engine.entry_http.access import Access, Caller
from interface_engine.entry_http.door import FhirDoor
from interface_engine.entry_http.routing import Route
from interface_engine.wire.answers import Answer


def access_of(
    door: FhirDoor, caller: Caller, route: Route, parameters: Mapping[str, str], query: str, answer: Answer
) -> Access:
    """One access. Names of query parameters alone: their values may be a person's name."""
    context = trace.get_current_span().get_span_context()
    type_name, _, identity = answer.about.partition("/")
    names = dict.fromkeys(name for name, _ in parse_qsl(query, keep_blank_values=True))
    return Access(
        tenant=caller.client.tenant,
        client=caller.client.id,
        at=door.clock.now(),
        action=route.action,
        interaction=route.interaction,
        type=route.type or parameters.get("type", type_name),
        id=parameters.get("id", identity),
        status=answer.status,
        query="&".join(names),
        trace=f"{context.trace_id:032x}" if context.is_valid else "",
    )


async def record_all(door: FhirDoor, accesses: Iterable[Access]) -> None:
    """Kept together, before the answer goes out."""
    await asyncio.gather(*(door.audit.record(one) for one in accesses))
