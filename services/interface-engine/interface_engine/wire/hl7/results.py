"""Results and documents: ORU and MDM."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from kernel.errors import Unreadable

from interface_engine.model import Resource
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7.job import Draft, Job
from interface_engine.wire.hl7.orders import note_of, order_groups
from interface_engine.wire.hl7.scope import Row, Scope, clean

_TEXTS = frozenset({"ST", "TX", "FT"})
_CODES = frozenset({"CE", "CWE", "CNE", "CF"})
_MOMENTS = frozenset({"DT", "TS", "DTM"})
_MIME = {"PDF": "application/pdf", "RTF": "application/rtf", "HTML": "text/html", "JPEG": "image/jpeg",
         "TIFF": "image/tiff", "XML": "application/xml"}  # fmt: skip


def make_results(job: Job) -> None:
    """A DiagnosticReport for each OBR with the Observations under it."""
    for _, obr, scope in order_groups(job, "OBR"):
        if obr is None:
            continue
        number = _number(job, obr)
        draft = job.draft("DiagnosticReport", f"{job.channel.identity.base}/report", number)
        draft.take(job.fill("report", scope))
        draft.resource.setdefault("code", {"text": "not told"})
        results = [
            _observation(job, scope.within(OBX=row, NTE=note_of(job, row)), row, number) for row in _below(job, obr)
        ]
        if results:
            draft.resource["result"] = [one.reference for one in _unique(results)]


def _unique(drafts: list[Draft]) -> list[Draft]:
    return list({draft.condition: draft for draft in drafts}.values())


def _number(job: Job, obr: Row) -> str:
    """The filler's number, else the placer's, else the message's, with the code: one order may have several reports."""
    get = obr.get
    order = get("3.1") or get("2.1") or (job.message.control_id if job.message is not None else "")
    return "-".join(one for one in (order, get("4.1") or get("4.2") or obr.label) if one)


def _below(job: Job, obr: Row) -> list[Row]:
    after = [row.segment.index for row in job.rows_of("OBR") if row.segment.index > obr.segment.index]
    end = after[0] if after else None
    found = (row for row in job.rows_of("OBX") if row.segment.index > obr.segment.index)
    return [row for row in found if end is None or row.segment.index < end]


def _observation(job: Job, scope: Scope, row: Row, number: str) -> Draft:
    get = row.get
    own = "-".join(one for one in (number, get("3.1") or get("3.2") or row.label, get("4.1")) if one)
    draft = job.draft("Observation", f"{job.channel.identity.base}/observation", own)
    draft.take(job.fill("observation", scope))
    draft.resource.setdefault("code", {"text": "not told"})
    value = _value(job, row, get("2"))
    if value:
        draft.resource |= value
        draft.origins.append((next(iter(value)), f"{row.label}-5"))
    return draft


def _value(job: Job, row: Row, kind: str) -> Resource:
    parts = [part for part in row.repetitions(5) if not part.is_null and part.get(1) + part.get(2)]
    if not parts:
        return {}
    first = parts[0]
    if kind in _CODES:
        concept = types.codeable(first, job.channel)
        return {"valueCodeableConcept": concept} if concept else {}
    if kind == "NM":
        return _quantity(row, first.get(1))
    if kind == "SN":
        return _structured(row, first)
    if kind in _MOMENTS:
        try:
            return {"valueDateTime": types.fhir_datetime(first.get(1), job.channel.zone)}
        except Unreadable:
            job.scope.flaw(f"{row.label}-5", "date-unreadable")
            return {}
    texts = [part.get(1) for part in parts] if kind in _TEXTS else [clean(row.segment.raw_at("5"))]
    return {"valueString": "\n".join(texts)}


def _quantity(row: Row, text: str) -> Resource:
    """A number as one; what is none ("<5", "see note") stays as text."""
    try:
        value = types.number(text)
    except Unreadable:
        return {"valueString": text}
    return {"valueQuantity": types.kept(value=value, unit=row.get("6.1"))}


def _structured(row: Row, part: Any) -> Resource:
    """SN: a comparator and a number; a range or a ratio stays as text."""
    comparator, text, mark, second = (part.get(number) for number in (1, 2, 3, 4))
    if mark or second or comparator not in ("", "=", "<", "<=", ">", ">="):
        return {"valueString": f"{comparator}{text}{mark}{second}"}
    made = _quantity(row, text)
    if "valueQuantity" in made and comparator not in ("", "="):
        made["valueQuantity"]["comparator"] = comparator
    return made


def make_document(job: Job) -> None:
    """TXA and the text or file of its OBX."""
    row = job.scope.rows.get("TXA")
    if row is None:
        raise Unreadable("document-missing", "TXA", "a document message without TXA")
    number = row.get("12.1") or row.get("12.2") or (job.message.control_id if job.message else "")
    if not number:
        raise Unreadable("document-number-missing", "TXA-12", "the document has no number")
    system = types.system_of_hd(row.get("12.2"), row.get("12.3"), row.get("12.4"),
                                job.channel.identity.base)  # fmt: skip
    draft = job.draft("DocumentReference", system or f"{job.channel.identity.base}/document", number)
    draft.take(job.fill("document"))
    draft.resource["content"] = [{"attachment": one} for one in _attachments(job)] or [
        {"attachment": {"contentType": "text/plain"}}
    ]
    visit = job.own_reference("visit")
    if visit is not None:
        draft.resource["context"] = {"encounter": [visit]}


def _attachments(job: Job) -> Iterator[Resource]:
    """The lines of text as one, and each encapsulated file."""
    lines: list[str] = []
    for row in job.rows_of("OBX"):
        if row.get("2") == "ED":
            yield from _file(row)
        else:
            lines.extend(part.get(1) for part in row.repetitions(5))
    text = "\n".join(lines)
    if text:
        data = base64.b64encode(text.encode()).decode()
        yield {"contentType": "text/plain", "data": data}


def _file(row: Row) -> Iterator[Resource]:
    """ED: type, subtype, encoding, data. Base64 that cannot be read leaves the type alone."""
    kind = _MIME.get(row.get("5.3").upper(), "application/octet-stream")
    data = row.get("5.5").replace("\n", "").replace(" ", "")
    try:
        data = base64.b64encode(base64.b64decode(data, validate=True)).decode()
    except (binascii.Error, ValueError):
        data = ""
    yield types.kept(contentType=kind, data=data)
