"""Two Patients side by side, so that a person sees at once where they agree and where they do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the comparison; `same` is None when one side does not say."""

    label: str
    first: str
    second: str
    same: bool | None


def compare_patients(first: bytes, second: bytes) -> list[Compared]:
    """The lines for two FHIR Patients; one that is not there is empty."""
    one, other = (json.loads(text or b"{}") for text in (first, second))
    return [_compared(label, read(one), read(other)) for label, read in _LINES.items()]


def _compared(label: str, first: str, second: str) -> Compared:
    same = None if not first or not second else _plain(first) == _plain(second)
    return Compared(label, first, second, same)


def _plain(text: str) -> str:
    return "".join(text.casefold().split())


def _name(patient: Resource) -> str:
    """Former names too: a maiden name may be what they share."""
    names = ([*(one.get("given") or ()), one.get("family", "")] for one in _list(patient, "name"))
    return "\n".join(dict.fromkeys(" ".join(filter(None, parts)) for parts in names))


def _numbers(patient: Resource) -> str:
    return "\n".join(_of_identifiers(patient))


def _of_identifiers(patient: Resource) -> Iterator[str]:
    for one in _list(patient, "identifier"):
        codes: list[Resource] = (one.get("type") or {}).get("coding") or [{}]
        kind = codes[0].get("code") or str(one.get("system", "")).rpartition("/")[2].rpartition(":")[2]
        yield f"{kind} {one.get('value', '')}".strip()


def _address(patient: Resource) -> str:
    return "\n".join(
        ", ".join(filter(None, [*(one.get("line") or ()), one.get("city"), one.get("state"), one.get("postalCode")]))
        for one in _list(patient, "address")
    )


def _telecom(patient: Resource) -> str:
    return "\n".join(str(one.get("value", "")) for one in _list(patient, "telecom") if one.get("value"))


def _plainly(element: str) -> Callable[[Resource], str]:
    return lambda patient: str(patient.get(element) or "")


def _source(patient: Resource) -> str:
    return str((patient.get("meta") or {}).get("source") or "")


def _list(patient: Resource, element: str) -> list[Resource]:
    found = patient.get(element)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


_LINES: Mapping[str, Callable[[Resource], str]] = {
    "Name": _name,
    "Birth date": _plainly("birthDate"),
    "Sex": _plainly("gender"),
    "Address": _address,
    "Phone, e-mail": _telecom,
    "Numbers": _numbers,
    "Came from": _source,
}
