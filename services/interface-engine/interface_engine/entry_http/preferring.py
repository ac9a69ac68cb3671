"""An answer as the client would have it: nothing that it has already, and of a write as much as it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime

from fhir_r4 import outcome

from interface_engine.entry_http.asked import Preferences
from interface_engine.wire.answers import Answer
from interface_engine.wire.text import json_bytes

NOT_MODIFIED = 304


def as_preferred(
    answer: Answer, method: str, asked: Mapping[str, str], prefer: Preferences, writes: bool = False
) -> Answer:
    """304 to a conditional read of what has not changed; Prefer: return for what writes."""
    if answer.status == 200 and method in ("GET", "HEAD") and _has_it(asked, answer.headers):
        kept = {name: answer.headers[name] for name in ("ETag", "Last-Modified")}
        return replace(answer, status=NOT_MODIFIED, body=b"", headers=kept)
    if not writes or answer.status not in (200, 201, 204):
        return answer
    if prefer.returns == "minimal":
        return replace(answer, body=b"")
    if prefer.returns == "operationoutcome":
        status = 200 if answer.status == 204 else answer.status
        return replace(answer, status=status, body=json_bytes(outcome([])))
    return answer


def _has_it(asked: Mapping[str, str], told: Mapping[str, str]) -> bool:
    """Conditional reads. Some clients leave out the marks of an entity tag. If-None-Match goes before the date."""
    tag, moment = told.get("ETag"), told.get("Last-Modified")
    if tag is None or moment is None:
        return False
    tags = asked.get("if-none-match")
    if tags is not None:
        bare = tag.removeprefix("W/").strip('"')
        return any(one.strip().removeprefix("W/").strip('"') in (bare, "*") for one in tags.split(","))
    since = asked.get("if-modified-since")
    try:
        return since is not None and parsedate_to_datetime(moment) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
