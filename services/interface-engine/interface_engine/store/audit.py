"""SQL of the record of accesses, read as AuditEvents: by id, time, client, action, outcome, what was looked at."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bus import Unit
from fhir_r4.search import DateValue, Query, ReferenceValue, StringValue, Term, TokenValue
from kernel.errors import Unreadable

from interface_engine.store.shapes import Page, Stored
from interface_engine.wire.audit import OUTCOMES, audit_event
from interface_engine.wire.text import json_bytes

Arguments = list[Any]
_SELECT = "select id, at, client, action, interaction, type, resource_id, status, query, trace from access_event a"
# Range conditions on a moment, by the prefix of what was asked (R4, search on dates).
_MOMENTS: Mapping[str, str] = {
    "eq": "a.at >= {low} and a.at < {high}",
    "ne": "not (a.at >= {low} and a.at < {high})",
    "gt": "a.at >= {high}",
    "sa": "a.at >= {high}",
    "lt": "a.at < {low}",
    "eb": "a.at < {low}",
    "ge": "a.at >= {low}",
    "le": "a.at < {high}",
    "ap": "a.at >= {low} and a.at < {high}",
}


class AuditLog:
    """The record in one open transaction, the newest first."""

    def __init__(self, unit: Unit) -> None:
        self._conn = unit.conn

    async def read(self, identity: str) -> Stored | None:
        """One access as an AuditEvent; it never changes, so there is but one version."""
        try:
            wanted = uuid.UUID(identity)
        except ValueError:
            return None
        row = await self._conn.fetchrow(f"{_SELECT} where a.id = $1", wanted)
        return _stored(row) if row is not None else None

    async def search(self, query: Query, limit: int) -> Page:
        """A page; Unreadable for a parameter that the record is not kept by."""
        arguments: Arguments = []
        conditions = [_condition(term, arguments) for term in query.terms]
        if query.page:
            at, identity = _cursor(query.page)
            conditions.append(f"(a.at, a.id) < ({_given(arguments, at)}, {_given(arguments, identity)})")
        where = f" where {' and '.join(conditions)}" if conditions else ""
        sql = f"{_SELECT}{where} order by a.at desc, a.id desc limit {_given(arguments, limit + 1)}"
        rows = await self._conn.fetch(sql, *arguments)
        more = f"{rows[limit - 1]['at'].isoformat()}_{rows[limit - 1]['id']}" if len(rows) > limit else ""
        return Page([_stored(row) for row in rows[:limit]], more)


def _given(arguments: Arguments, value: Any) -> str:
    arguments.append(value)
    return f"${len(arguments)}"


def _condition(term: Term, arguments: Arguments) -> str:
    make = _SEARCHED.get(term.parameter.name)
    if make is None or term.chain or term.modifier not in ("", "exact"):
        raise Unreadable("search_parameter", term.parameter.name, f"accesses are found by {', '.join(_SEARCHED)}")
    return f"({' or '.join(make(value, arguments) for value in term.alternatives)})"


def _moment(value: Any, arguments: Arguments) -> str:
    assert isinstance(value, DateValue)
    text = _MOMENTS[value.prefix]
    named = {name: _given(arguments, getattr(value, name)) for name in ("low", "high") if f"{{{name}}}" in text}
    return text.format(**named)


def _column(name: str) -> Callable[[Any, Arguments], str]:
    def equal(value: Any, arguments: Arguments) -> str:
        assert isinstance(value, (TokenValue, StringValue))
        text = value.value if isinstance(value, TokenValue) else value.text
        return f"a.{name} = {_given(arguments, text or '')}"

    return equal


def _identity(value: Any, arguments: Arguments) -> str:
    assert isinstance(value, TokenValue)
    try:
        return f"a.id = {_given(arguments, uuid.UUID(value.value or ''))}"
    except ValueError:
        return "false"


def _outcome(value: Any, arguments: Arguments) -> str:
    assert isinstance(value, TokenValue)
    low, high = OUTCOMES.get(value.value or "", (0, 0))
    return f"a.status >= {_given(arguments, low)} and a.status < {_given(arguments, high)}"


def _resource(value: Any, arguments: Arguments) -> str:
    assert isinstance(value, ReferenceValue)
    condition = f"a.resource_id = {_given(arguments, value.id or '')}"
    return condition if value.type is None else f"{condition} and a.type = {_given(arguments, value.type)}"


def _patient(value: Any, arguments: Arguments) -> str:
    assert isinstance(value, ReferenceValue)
    return f"a.resource_id = {_given(arguments, value.id or '')} and a.type = 'Patient'"


_SEARCHED: Mapping[str, Callable[[Any, Arguments], str]] = {
    "_id": _identity,
    "_lastUpdated": _moment,
    "date": _moment,
    "action": _column("action"),
    "subtype": _column("interaction"),
    "agent-name": _column("client"),
    "outcome": _outcome,
    "entity": _resource,
    "patient": _patient,
}


def _cursor(text: str) -> tuple[datetime, uuid.UUID]:
    at, _, identity = text.partition("_")
    try:
        return datetime.fromisoformat(at), uuid.UUID(identity)
    except ValueError:
        raise Unreadable("search_value", "_cursor", "not a page of ours") from None


def _stored(row: Any) -> Stored:
    identity = str(row["id"])
    return Stored("AuditEvent", identity, json_bytes(audit_event(identity, row["at"], dict(row))), 1, row["at"])
