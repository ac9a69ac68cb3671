"""Drafts a channel for a feed from samples of it: which messages, which fields, which codes, and where the CPT is."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import hl7v2
from kernel import codes
from kernel.errors import LineError, Unreadable
from kernel.identifiers import npi_valid

from interface_engine.rules.codemaps import COLUMNS, PAYER_COLUMNS
from interface_engine.rules.loading import base_map

_CHARGE_FIELDS = (25, 7, 8, 18)
_MODIFIER_FIELDS = ("FT1-26", "FT1-25.4", "FT1-7.4")
_AMOUNT_FIELDS = (11, 22, 12)
_VISIT_FIELDS = ("PV1-19", "PV1-50", "PID-18")
_DELIMITERS = ",;|\t"
# The words by which exports name their columns, most telling first.
_COLUMN_WORDS = {
    "mrn": ("mrn", "chart", "patientid", "patient", "person", "acct", "account"),
    "visit": ("encounter", "visit", "appointment", "session", "claim"),
    "code": ("procedurecode", "cpt", "proc", "hcpcs", "service", "code"),
    "day": ("servicestart", "servicedate", "dateofservice", "dos", "servicefrom", "date", "when"),
    "modifiers": ("modifier", "mods", "mod", "md"),
    "units": ("units", "quantity", "qty", "count"),
    "amount": ("totalcharge", "charge", "amount", "amt", "price", "fee"),
    "diagnoses": ("diag", "icd", "dx", "finding"),
    "performer": ("renderingprovidernpi", "npi", "provider", "doctor", "dr"),
    "transaction": ("chargeid", "lineid", "transaction", "line", "id"),
    "payer": ("payer", "insurance", "carrier", "ins", "plan"),
    "member": ("member", "policy", "subscriber", "subno"),
}


@dataclass(slots=True)
class Inferred:
    """Files by name, and what a person has to look at."""

    files: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def infer_channel(name: str, samples: Sequence[tuple[str, bytes]]) -> Inferred:
    """A draft of YAML and CSV. Unreadable when no sample can be read at all."""
    messages: list[hl7v2.Message] = []
    made = Inferred()
    for sample, raw in samples:
        try:
            messages.extend(hl7v2.read(text) for text in hl7v2.split_batch(raw).messages)
        except LineError as error:
            if error.code not in ("hl7.no_msh", "hl7.empty", "hl7.short"):
                made.findings.append(f"{sample}: {error.code}")
    if messages:
        _infer_hl7(name, messages, made)
    elif not _infer_csv(name, samples, made):
        raise Unreadable("samples-unreadable", "samples", "neither HL7 v2 messages nor a table with a header")
    return made


def _infer_hl7(name: str, messages: Sequence[hl7v2.Message], made: Inferred) -> None:
    kinds = Counter(f"{one.message_type.code}^{one.message_type.trigger}" for one in messages)
    known = base_map("hl7v2").messages
    made.findings.extend(
        f"{count} {kind}{'' if kind in known else ': not mapped'}" for kind, count in sorted(kinds.items())
    )
    lines = [
        f"name: {name}",
        "format: hl7v2",
        "timezone: America/New_York  # say the feed's own",
        "transport: {kind: mllp}",
    ]
    lines += ["identity:", *_mrn_lines(messages, made), *_visit_lines(messages, made)]
    lines += _charge_lines(messages, made)
    systems = _code_systems(messages)
    unknown = sorted(one for one in systems if one and one not in base_map("hl7v2").tables["systems"])
    if unknown:
        lines += ["systems:", *(f"  {_quoted(one)}: https://{name}.example/codes/{_slug(one)}" for one in unknown)]
        made.findings.append(f"coding systems without an address: {', '.join(unknown)}")
    lines += _code_map(name, messages, unknown, made)
    payers = sorted({one for message in messages for one in message.all("IN1-3.1") + message.all("IN1-2.1") if one})
    if payers:
        lines.append(f"payers: {name}_payers.csv")
        made.files[f"{name}_payers.csv"] = _table(
            PAYER_COLUMNS, [(one, "FILL-IN", "", "", "", "FILL-IN") for one in payers]
        )
    lines.append("unmapped: {ChargeItem: hold, Condition: hold}")
    made.files[f"{name}.yaml"] = "\n".join(lines) + "\n"


def _mrn_lines(messages: Sequence[hl7v2.Message], made: Inferred) -> list[str]:
    found = Counter(
        (part.get(4), part.get(5)) for message in messages for part in message.field("PID-3").repetitions if part.get(1)
    )
    if not found:
        made.findings.append("PID-3 is empty: say under identity.mrn where the patient's number stands")
        return ["  mrn: {from: [PID-2, PID-3]}"]
    authority, kind = max(found, key=lambda pair: (pair[1] in ("MR", "MRN", "PI", "PT"), found[pair]))
    pairs = sorted("/".join(one or "-" for one in pair) for pair in found)
    made.findings.append(f"PID-3 has {', '.join(pairs)} (authority/type)")
    said = "".join(
        (f", authority: {_quoted(authority)}" if authority else "", f", type: {_quoted(kind)}" if kind else "")
    )
    return [f"  mrn: {{from: PID-3{said}}}"]


def _visit_lines(messages: Sequence[hl7v2.Message], made: Inferred) -> list[str]:
    filled = [path for path in _VISIT_FIELDS if any(message.get(path) for message in messages)]
    if not filled:
        made.findings.append("no visit number: the patient and the day are the visit")
        return []
    lines = [f"  visit: {filled[0]}"]
    if filled[0] == "PID-18":
        lines.append("  by_day: true  # an account is used for many visits")
    return lines


def _charge_lines(messages: Sequence[hl7v2.Message], made: Inferred) -> list[str]:
    rows = [segment for message in messages for segment in message.segments("FT1")]
    if not rows:
        return []
    shaped = {
        number: sum(codes.is_procedure_code(row.get(f"{number}.1")[:5]) for row in rows) for number in _CHARGE_FIELDS
    }
    filled = {number: sum(bool(row.get(f"{number}.1")) for row in rows) for number in _CHARGE_FIELDS}
    best = max(_CHARGE_FIELDS, key=lambda number: (shaped[number], filled[number]))
    made.findings.append(f"{shaped[best]} of {len(rows)} charges have a CPT or HCPCS code in FT1-{best}")
    lines = ["finish: charges", "charges:"]
    glued = [row for row in rows if re.match(r"[0-9A-Z]{5}-", row.get(f"{best}.1"))]
    if glued:
        lines += [f'  code: {{before: FT1-{best}.1, mark: "-"}}',
                  f'  modifiers: {{split: {{after: FT1-{best}.1, mark: "-"}}, by: "-"}}']  # fmt: skip
    else:
        modifiers = [path for path in _MODIFIER_FIELDS if any(codes.is_modifier(row.get(path[4:])) for row in rows)]
        first = modifiers[0] if modifiers else "FT1-26"
        code = f"FT1-{best}.1" if first.startswith(f"FT1-{best}.") else f"FT1-{best}"
        lines += [f"  code: {code}", f"  modifiers: {first}"]
    amount = next((number for number in _AMOUNT_FIELDS if any(row.get(str(number)) for row in rows)), 11)
    lines.append(f"  {'unit_amount' if amount == 12 else 'amount'}: FT1-{amount}")
    if not all(row.get("2") for row in rows):
        lines.append("  by_content: true  # not every charge has a number")
    types = sorted({row.get("6") for row in rows if row.get("6")})
    made.findings.append(f"types of transaction: {', '.join(types) or 'none'}")
    if any(row.get("20.1") and not npi_valid(row.get("20.1")) for row in rows):
        made.findings.append("providers are no NPIs: add a roster (providers: <file>.csv)")
    return lines


def _code_systems(messages: Sequence[hl7v2.Message]) -> set[str]:
    paths = ("FT1-7.3", "FT1-25.3", "FT1-19.3", "DG1-3.3", "PR1-3.3", "OBR-4.3")
    return {one for message in messages for path in paths for one in message.all(path)}


def _code_map(name: str, messages: Sequence[hl7v2.Message], unknown: Sequence[str], made: Inferred) -> list[str]:
    """A skeleton of the code map: every code of the charges that is none of a claim."""
    found: Counter[tuple[str, str]] = Counter()
    for message in messages:
        for row in message.segments("FT1"):
            code, system = row.get("7.1"), row.get("7.3")
            if code and system in unknown and not codes.is_procedure_code(row.get("25.1")):
                found[(system, code)] += 1
    if not found:
        return []
    rows = [
        (f"https://{name}.example/codes/{_slug(system)}", code, codes.CPT, "FILL-IN", "", "", "map", "FILL-IN")
        for system, code in sorted(found)
    ]
    made.files[f"{name}_codes.csv"] = _table(COLUMNS, rows)
    made.findings.append(f"{len(found)} codes of charges need a row in {name}_codes.csv")
    systems = sorted({row[0] for row in rows})
    return ["maps:", *(f"  - {{file: {name}_codes.csv, from: {one}, to: {codes.CPT}}}" for one in systems)]


def _infer_csv(name: str, samples: Sequence[tuple[str, bytes]], made: Inferred) -> bool:
    raw = samples[0][1] if samples else b""
    encoding = "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        encoding = "windows-1252"
        text = raw.decode(encoding, "replace")
    head = text.partition("\n")[0].strip()
    delimiter = max(_DELIMITERS, key=head.count)
    columns = next(csv.reader(io.StringIO(head), delimiter=delimiter), [])
    if len(columns) < 3 or not all(column.strip() for column in columns):
        return False
    chosen = {word: _column(columns, words) for word, words in _COLUMN_WORDS.items()}
    for word in ("mrn", "visit", "code", "day"):
        if not chosen[word]:
            made.findings.append(f"no column looks like the {word}: fill it in")
    lines = [f"name: {name}", "format: csv", "timezone: America/New_York  # say the feed's own",
             "transport: {kind: directory, folder: in, pattern: '*.csv'}", "csv:"]  # fmt: skip
    if delimiter != ",":
        lines.append(f"  delimiter: {_quoted(delimiter)}")
    if encoding != "utf-8-sig":
        lines.append(f"  encoding: {encoding}")
    lines += ["  columns:", *(f"    - {_quoted(column)}" for column in columns)]
    first = columns[0]
    lines += [f"  visit_columns: [{_quoted(chosen['mrn'] or first)}, {_quoted(chosen['visit'] or first)}]", "identity:",
              f"  mrn: {_quoted(chosen['mrn'] or first)}", f"  visit: {_quoted(chosen['visit'] or first)}"]  # fmt: skip
    if chosen["member"]:
        lines += ["coverage:", f"  member: {_quoted(chosen['member'])}"]
        lines += [f"  payer: {_quoted(chosen['payer'])}"] if chosen["payer"] else []
    lines += ["charges:", f"  code: {_quoted(chosen['code'] or first)}", f"  day: {_quoted(chosen['day'] or first)}"]
    for word in ("units", "amount", "performer", "transaction"):
        lines += [f"  {word}: {_quoted(chosen[word])}"] if chosen[word] else []
    lines += [] if chosen["transaction"] else ["  by_content: true"]
    for word in ("modifiers", "diagnoses"):
        several = [column for column in columns if _matches(column, _COLUMN_WORDS[word])]
        lines += [f"  {word}: [{', '.join(map(_quoted, several))}]"] if several else []
    lines.append("unmapped: {ChargeItem: hold, Condition: hold}")
    made.findings.append(f"{len(columns)} columns, divided by {delimiter!r}, in {encoding}")
    made.files[f"{name}.yaml"] = "\n".join(lines) + "\n"
    return True


def _column(columns: Sequence[str], words: Sequence[str]) -> str:
    """The first column that has the most telling word, whole before part."""
    plain = {column: re.sub(r"[^a-z0-9]", "", column.lower()) for column in columns}
    for word in words:
        found = [column for column in columns if plain[column] == word] or [
            column for column in columns if plain[column].startswith(word)
        ]
        if found:
            return found[0]
    return ""


def _matches(column: str, words: Sequence[str]) -> bool:
    plain = re.sub(r"[^a-z]", "", column.lower())
    return any(plain.startswith(word) for word in words)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()
