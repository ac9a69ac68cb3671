"""What a channel makes of messages before it is in force: every element with its field, every charge, every code that
nobody knows, and which lines would be billed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import hl7v2
from fhir_r4 import has_errors, validate
from fhir_r4.elements import code_in, day_of, extension_values
from kernel import codes
from kernel.errors import LineError, Refused, Unreadable

from interface_engine.handlers.rehearsing import Rehearsal
from interface_engine.model import Resource
from interface_engine.rules import Channel, map_codes
from interface_engine.rules.coding import CODED_TYPES
from interface_engine.wire.csv_rows import read_export
from interface_engine.wire.hl7 import Filtered, Mapped, bundle_of, map_message, map_rows
from interface_engine.wire.hl7.charges import money_cents

MAPPED, FILTERED, UNREADABLE, INVALID = "mapped", "filtered", "unreadable", "invalid"
_FIELD = re.compile(r"([A-Z][A-Z0-9]{2})(?:\(\d+\))?-(\d+)")
# What decides and identifies is read by no rule of a template.
_READ_BY_CODE: Mapping[str, tuple[int, ...]] = {
    "MSH": (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 18), "EVN": (1, 2, 6), "PID": (1, 3, 18), "PV1": (1, 19),
    "DG1": (1, 2, 3, 6, 15, 21), "PR1": (1, 3, 16, 19, 20), "IN1": (1, 2, 16, 17, 18, 19, 22, 43), "GT1": (1, 2),
    "FT1": (1, 2, 4, 6), "NK1": (1,), "ORC": (1, 2, 3, 5), "OBR": (1, 2, 3), "OBX": (1, 2, 3, 4, 5, 6), "MRG": (1,),
    "SCH": (1, 2, 11, 25), "TXA": (1, 12), "AIS": (1, 4, 7), "AIP": (1, 3), "AIL": (1, 3), "AIG": (1, 3),
    "TQ1": (7, 8), "RXE": (3, 5),
}  # fmt: skip
_STRUCTURE = frozenset(f"{segment}-{number}" for segment, numbers in _READ_BY_CODE.items() for number in numbers)


@dataclass(frozen=True, slots=True)
class Tried:
    """One message or visit of a sample and what became of it."""

    sample: str
    kind: str
    outcome: str
    reason: str = ""
    path: str = ""
    mapped: Mapped | None = None


@dataclass(slots=True)
class Trial:
    """A dry run. `fields`: how often each field was filled; `read`: those that something was made of; `lines`: what
    would be billed, as texts, with how often; `charges`: (disposition, reason, kind) to (count, cents)."""

    tried: list[Tried] = field(default_factory=list)
    fields: Counter[str] = field(default_factory=Counter)
    read: set[str] = field(default_factory=set)
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    flaws: Counter[str] = field(default_factory=Counter)
    charges: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    lines: Counter[str] = field(default_factory=Counter)
    visits: int = 0

    def count(self, outcome: str) -> int:
        return sum(1 for one in self.tried if one.outcome == outcome)


async def try_samples(channel: Channel, samples: Sequence[tuple[str, bytes]], now: datetime) -> Trial:
    """Plays samples through a channel. A sample that cannot be read is an outcome, never an error."""

    async def all_of() -> AsyncIterator[tuple[str, bytes]]:
        for sample in samples:
            yield sample

    return await try_messages(channel, all_of(), now)


async def try_messages(channel: Channel, messages: AsyncIterator[tuple[str, bytes]], now: datetime) -> Trial:
    """The same for stored traffic, in the order in which it comes."""
    trial, rehearsal = Trial(), Rehearsal()
    async for name, raw in messages:
        for tried in _outcomes(channel, name, raw, now, trial):
            trial.tried.append(tried)
            if tried.mapped is not None and tried.outcome == MAPPED:
                _note(trial, tried.mapped)
                try:
                    await rehearsal.play(tried.mapped)
                except Refused as error:
                    trial.tried[-1] = Tried(name, tried.kind, UNREADABLE, error.code)
    trial.visits = len(rehearsal.all("Encounter"))
    trial.lines = Counter(_lines(channel, rehearsal))
    return trial


def difference(before: Counter[str], after: Counter[str]) -> list[tuple[str, str]]:
    """("removed" or "added", line) for every line that one has and the other has not."""
    gone = [("removed", line) for line in sorted((before - after).elements())]
    return gone + [("added", line) for line in sorted((after - before).elements())]


def _outcomes(channel: Channel, name: str, raw: bytes, now: datetime, trial: Trial) -> Iterator[Tried]:
    try:
        yield from (_rows if channel.csv is not None else _messages)(channel, name, raw, now, trial)
    except LineError as error:
        yield Tried(name, "", UNREADABLE, error.code, getattr(error, "path", ""))


def _messages(channel: Channel, name: str, raw: bytes, now: datetime, trial: Trial) -> Iterator[Tried]:
    texts = hl7v2.split_batch(raw).messages
    for text in texts:
        message = hl7v2.read(text, charset=channel.transport.charset)
        trial.fields.update(_filled(message))
        kind = f"{message.message_type.code}^{message.message_type.trigger}"
        try:
            yield _tried(name, kind, map_message(channel, message, now))
        except Unreadable as error:
            yield Tried(name, kind, UNREADABLE, error.code, error.path)


def _rows(channel: Channel, name: str, raw: bytes, now: datetime, trial: Trial) -> Iterator[Tried]:
    shape = channel.csv
    assert shape is not None
    export = read_export(shape, raw)
    for bad in export.bad:
        yield Tried(name, "csv", UNREADABLE, bad.reason, f"row({bad.number})")
    for rows in export.visits:
        trial.fields.update(column for row in rows for column, value in row.record.items() if value)
        try:
            yield _tried(name, "csv", map_rows(channel, [row.record for row in rows], now, rows[0].number))
        except Unreadable as error:
            yield Tried(name, "csv", UNREADABLE, error.code, error.path)


def _tried(name: str, kind: str, outcome: Mapped | Filtered) -> Tried:
    if isinstance(outcome, Filtered):
        return Tried(name, kind, FILTERED, outcome.reason_code)
    issues = validate(bundle_of(outcome))
    if has_errors(issues):
        worst = next(issue for issue in issues if issue.severity in ("error", "fatal"))
        return Tried(name, kind, INVALID, worst.rule_id, worst.fhirpath, outcome)
    return Tried(name, kind, MAPPED, mapped=outcome)


def _filled(message: hl7v2.Message) -> Iterator[str]:
    for segment in message.segments():
        for number, text in enumerate(segment.fields):
            if number and text:
                yield f"{segment.id}-{number}"


def _note(trial: Trial, mapped: Mapped) -> None:
    for origin in mapped.provenance:
        found = _FIELD.match(origin.source)
        trial.read.add(f"{found[1]}-{found[2]}" if found else origin.source.rpartition(")-")[2])
    trial.unmapped.update((re.sub(r"\(\d+\)", "", one.path), one.system, one.code) for one in mapped.unmapped)
    trial.flaws.update(f"{re.sub(r'[(][0-9]+[)]', '', one.path)} {one.code}" for one in mapped.flaws)
    for line in mapped.charges:
        key = (line.disposition, line.reason, line.kind)
        count, cents = trial.charges.get(key, (0, 0))
        trial.charges[key] = (count + 1, cents + line.amount_cents)


def unread(trial: Trial) -> list[str]:
    """Filled fields that nothing was made of."""
    return sorted(trial.fields.keys() - trial.read - _STRUCTURE)


def is_read(trial: Trial, name: str) -> bool:
    return name in trial.read or name in _STRUCTURE


def _lines(channel: Channel, rehearsal: Rehearsal) -> Iterator[str]:
    """What would be billed: charges and procedures with their codes after the code maps."""
    for resource in rehearsal.resources.values():
        if resource["resourceType"] in CODED_TYPES and _bills(resource):
            yield _line(channel, resource, rehearsal.resources)


def _bills(resource: Resource) -> bool:
    wanted: Mapping[str, tuple[str, ...]] = {"ChargeItem": ("billable", "billed"), "Procedure": ("completed",)}
    return resource.get("status") in wanted.get(resource["resourceType"], ())


def _line(channel: Channel, resource: Resource, resources: Mapping[str, Resource]) -> str:
    day = str(resource.get("occurrenceDateTime") or resource.get("performedDateTime") or "")[:10]
    mapped = map_codes(channel.source, resource, day_of(day)).resource
    code = code_in(mapped.get("code"), (codes.CPT, codes.HCPCS)) or "(no code of a claim)"
    modifiers = [value["code"] for value in extension_values(resource, "procedure-modifier")]
    visit = resources.get((resource.get("context") or resource.get("encounter") or {}).get("reference", ""), {})
    number = next((one["value"] for one in visit.get("identifier", ())), "")
    reasons = [code_in(one, (codes.ICD10CM,)) for one in mapped.get("reason", ())]
    units = (resource.get("quantity") or {}).get("value", 1)
    dollars = f"{money_cents(resource.get('priceOverride')) / 100:.2f}" if "priceOverride" in resource else "-"
    return " ".join(
        (number, day, "-".join((code, *modifiers)), f"x{units}", f"${dollars}", ",".join(filter(None, reasons)))
    ).strip()
