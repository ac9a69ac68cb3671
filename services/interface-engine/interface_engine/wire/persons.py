"""What of a Patient and a Coverage tells who somebody is, and the Task that asks whether two Patients are one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from fhir_r4 import write
from fhir_r4.search import fold
from fhir_r4.work_task import work_task
from kernel.codes import LINE
from rcm.work.v1 import work_pb2

from interface_engine.model import Draft, Resource
from interface_engine.model_persons import OPEN, Key, Pair, Traits

KIND, OWNER = "duplicate-patient", "front-desk"
IDENTIFIER = f"{LINE}/identifier/patient-pair"
_SSN_SYSTEMS = ("http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1")
# HL7 table 0203: what names a social security number or a policy, and by what a stay or an account is known, no person.
_SSN_TYPES, _MEMBER_TYPES, _OTHER_TYPES = ("SS",), ("MB", "MA", "MC", "SN", "NH"), ("AN", "VN", "AM", "ANON", "U")
_SUFFIXES = {
    "jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "2nd": "ii", "iii": "iii", "3rd": "iii",
    "iv": "iv", "4th": "iv",
}  # fmt: skip
_BIRTH = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_NO_SSN = re.compile(r"(\d)\1{8}|000.*|.*0000|123456789")
_NOT_DIGITS = re.compile(r"\D")
_PHONE_DIGITS, _SSN_DIGITS, _POSTAL_DIGITS = 10, 9, 5


def traits_of(patient: Resource) -> Traits:
    """The Patient as it is compared. Whatever cannot be read is not known."""
    names = [one for one in _list(patient, "name") if one.get("use") not in ("anonymous", "temp")]
    best = next((one for one in names if one.get("use") not in ("old", "maiden", "nickname")), {})
    given = [plain_text(one) for one in best.get("given") or () if isinstance(one, str)]
    families = [_without_suffix(plain_text(str(one.get("family") or ""))) for one in names]
    numbers = list(_numbers(patient))
    address = next((one for one in _list(patient, "address") if one.get("use") not in ("old", "temp")), {})
    return Traits(
        families=tuple(dict.fromkeys(family for family, _ in families if family)),
        given=given[0] if given else "",
        middles=tuple(one for one in given[1:] if one),
        suffix=_suffix(best) or next((suffix for _, suffix in families if suffix), ""),
        birth="".join(_birth(patient)),
        sex=str(patient.get("gender")) if patient.get("gender") in ("male", "female") else "",
        ssn=next((value for kind, _, value in numbers if kind == "ssn"), ""),
        numbers=tuple(sorted({(system, value) for kind, system, value in numbers if kind == "number"})),
        phones=tuple(sorted(set(_telecoms(patient, "phone")))),
        emails=tuple(sorted(set(_telecoms(patient, "email")))),
        members=tuple(sorted({value for kind, _, value in numbers if kind == "member"})),
        street=" ".join(plain_text(one) for one in (address.get("line") or ())[:1] if isinstance(one, str)),
        postal=_NOT_DIGITS.sub("", str(address.get("postalCode") or ""))[:_POSTAL_DIGITS],
    )


def plain_text(text: str) -> str:
    """Letters and digits of any script in lower case without accents; hyphens part words, apostrophes do not."""
    folded = fold(text.replace("'", "").replace("\u2019", ""))
    return " ".join("".join(one if one.isalnum() else " " for one in folded).split())


def patient_keys(tenant: str, patient: str, traits: Traits) -> Iterator[Key]:
    """By what others find this Patient. A day's digits are sorted: transposed ones have the same key."""
    source = f"Patient/{patient}"
    for kind, value in _values(traits):
        yield Key(source, patient, kind, _hash(tenant, kind, value))


def coverage_keys(tenant: str, coverage: Draft) -> Iterator[Key]:
    """The policy's number, for the Patient whom it covers."""
    patient = coverage.leads_to("Patient", "beneficiary").partition("/")[2]
    numbers = [coverage.resource.get("subscriberId")]
    numbers += [one.get("value") for one in _list(coverage.resource, "identifier") if "MB" in _codes(one)]
    values = {_compact(one) for one in numbers if isinstance(one, str)} - {""}
    for value in sorted(values) if patient else ():
        yield Key(coverage.reference, patient, "member", _hash(tenant, "member", value))


def _values(traits: Traits) -> Iterator[tuple[str, str]]:
    yield from (("number", f"{system}|{value}") for system, value in traits.numbers)
    yield from (("phone", one) for one in traits.phones)
    yield from (("email", one) for one in traits.emails)
    yield from (("member", one) for one in traits.members)
    if traits.ssn:
        yield "ssn", traits.ssn
    for family in traits.families:
        joined = family.replace(" ", "")
        if traits.birth:
            yield "family-birth", f"{joined}|{''.join(sorted(traits.birth))}"
        if traits.given and traits.postal:
            yield "name-place", f"{joined}|{traits.given}|{traits.postal}"
    if traits.given and traits.birth:
        yield "given-birth", f"{traits.given}|{traits.birth}"


def _hash(tenant: str, kind: str, value: str) -> int:
    text = "\x00".join((tenant, kind, value)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), signed=True)


def _list(resource: Mapping[str, Any], name: str) -> list[Resource]:
    found = resource.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _codes(identifier: Resource) -> list[str]:
    return [str(one.get("code")) for one in _list(identifier.get("type") or {}, "coding")]


def _numbers(patient: Resource) -> Iterator[tuple[str, str, str]]:
    """Kind, system and value of each identifier that tells who somebody is."""
    for one in _list(patient, "identifier"):
        system, value, codes = str(one.get("system") or ""), one.get("value"), set(_codes(one))
        if not isinstance(value, str) or not value.strip() or one.get("use") == "temp" or codes & set(_OTHER_TYPES):
            continue
        if system in _SSN_SYSTEMS or codes & set(_SSN_TYPES):
            digits = _NOT_DIGITS.sub("", value)
            if len(digits) == _SSN_DIGITS and not _NO_SSN.fullmatch(digits):
                yield "ssn", "", digits
        elif codes & set(_MEMBER_TYPES):
            yield "member", "", _compact(value)
        elif system:
            yield "number", system, value.strip()


def _compact(text: str) -> str:
    return plain_text(text).replace(" ", "")


def _telecoms(patient: Resource, kind: str) -> Iterator[str]:
    systems = ("phone", "sms") if kind == "phone" else (kind,)
    for one in _list(patient, "telecom"):
        value = one.get("value")
        if one.get("system") not in systems or not isinstance(value, str) or one.get("use") == "old":
            continue
        digits = _NOT_DIGITS.sub("", value)[-_PHONE_DIGITS:]
        if kind == "email" and "@" in value:
            yield fold(value)
        elif kind == "phone" and len(digits) == _PHONE_DIGITS and len(set(digits)) > 1:
            yield digits


def _birth(patient: Resource) -> tuple[str, ...]:
    match = _BIRTH.fullmatch(str(patient.get("birthDate") or ""))
    return match.groups() if match else ()


def _suffix(name: Resource) -> str:
    words = (plain_text(one) for one in name.get("suffix") or () if isinstance(one, str))
    return next((_SUFFIXES[one] for one in words if one in _SUFFIXES), "")


def _without_suffix(family: str) -> tuple[str, str]:
    """The family name and the suffix that some write behind it."""
    first, _, last = family.rpartition(" ")
    return (first, _SUFFIXES[last]) if first and last in _SUFFIXES else (family, "")


# Work items


def opened(pair: Pair, now: datetime) -> work_pb2.WorkOpened:
    """A person is asked. Asked again about the same two, it is the same Task."""
    return work_pb2.WorkOpened(
        work_id=pair.work_id, kind=KIND, reason=pair.reason, owner=OWNER, task=write(_task(pair, OPEN, now))
    )


def closed(pair: Pair, outcome: str, now: datetime) -> work_pb2.WorkClosed:
    """`outcome` is resolved when somebody or something answered, cancelled when there is nothing to ask any more."""
    return work_pb2.WorkClosed(work_id=pair.work_id, kind=KIND, outcome=outcome, task=write(_task(pair, outcome, now)))


def _task(pair: Pair, state: str, now: datetime) -> dict[str, Any]:
    low, high = f"Patient/{pair.low}", f"Patient/{pair.high}"
    state = "open" if state == OPEN else state
    task = work_task(pair.work_id, KIND, state, now, focus=low, patient=high, reason=pair.reason, owner=OWNER)
    return task | {"identifier": [{"system": IDENTIFIER, "value": f"{pair.low}|{pair.high}"}]}


def keys_of(tenant: str, patients: Mapping[str, Traits], coverages: Sequence[Draft]) -> list[Key]:
    """All keys of what has changed, each once."""
    made: Iterable[Key] = (
        *(key for patient, traits in patients.items() for key in patient_keys(tenant, patient, traits)),
        *(key for one in coverages for key in coverage_keys(tenant, one)),
    )
    return list(dict.fromkeys(made))
