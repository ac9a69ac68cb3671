"""The searches that are served: which parameters a type has, and each of them as a condition on the indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl

from fhir_r4.types import element_type, is_known
from kernel.errors import Unreadable

MOST_MATCHES = 500
_PATIENT_ELEMENTS = ("patient", "subject", "beneficiary", "for", "participant.actor")
_SUBJECT_ELEMENTS = ("subject",)
_ENCOUNTER_ELEMENTS = ("encounter", "context", "item.encounter")
_REFERENCES = {"patient": _PATIENT_ELEMENTS, "subject": _SUBJECT_ELEMENTS, "encounter": _ENCOUNTER_ELEMENTS}
_TARGETS = {"patient": "Patient", "encounter": "Encounter", "subject": "Patient"}
_PARAMETER_TYPES = {
    "_id": "token",
    "identifier": "token",
    "patient": "reference",
    "subject": "reference",
    "encounter": "reference",
    "status": "token",
}
_RESULT_PARAMETERS = ("_count", "_after", "_format")


@dataclass(frozen=True, slots=True)
class Search:
    """A search as SQL: `conditions` over `resource r`, with $1 the type and the rest of the arguments after it."""

    type: str
    conditions: tuple[str, ...]
    arguments: tuple[object, ...]
    count: int | None = None
    after: str = ""

    def _where(self) -> str:
        return " and ".join(("r.type = $1", *self.conditions))

    def count_sql(self) -> str:
        return f"select count(*) from resource r where {self._where()}"

    def ids_sql(self) -> str:
        return f"select r.id from resource r where {self._where()} order by r.id limit ${len(self.arguments) + 1}"

    def page_sql(self) -> str:
        """The page after an id; its arguments follow the search's own: that id, and how many."""
        number = len(self.arguments)
        return f"""select r.id, v.bytes, v.version, v.received_at
            from resource r join resource_version v on v.type = r.type and v.id = r.id and v.version = r.version
            where {self._where()} and r.id > ${number + 1} order by r.id limit ${number + 2}"""


@cache
def parameters_of(type_name: str) -> dict[str, str]:
    """The search parameters of a type with their FHIR types; its elements decide which there are."""
    found = {name: kind for name, kind in _PARAMETER_TYPES.items() if name == "_id" or _elements(type_name, name)}
    return dict(sorted(found.items()))


def _elements(type_name: str, parameter: str) -> tuple[str, ...]:
    named = _REFERENCES.get(parameter, (parameter,))
    return tuple(name for name in named if element_type(type_name, name.partition(".")[0]) and _fits(type_name, name))


def _fits(type_name: str, element: str) -> bool:
    """Elements inside others are of the types that have them."""
    inner = {"participant.actor": ("Appointment", "AppointmentResponse"), "item.encounter": ("Claim",)}
    return type_name in inner.get(element, (type_name,))


def read_search(type_name: str, query: str) -> Search:
    """A search from its query string. Unreadable(search_parameter) for one that the type does not have."""
    if not is_known(type_name):
        raise Unreadable("search_type", "", "a resource type that is not known here")
    conditions: list[str] = []
    arguments: list[object] = [type_name]
    results: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in _RESULT_PARAMETERS:
            results[name] = value
        elif name in parameters_of(type_name):
            conditions.append(_condition(type_name, name, value, arguments))
        else:
            raise Unreadable("search_parameter", f"{type_name}?", "a search parameter that is not served for this type")
    return Search(type_name, tuple(conditions), tuple(arguments), _count(results), results.get("_after", ""))


def _count(results: dict[str, str]) -> int | None:
    text = results.get("_count")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Unreadable("search_value", "_count", "a whole number is needed")
    return min(int(text), MOST_MATCHES)


def _condition(type_name: str, name: str, value: str, arguments: list[object]) -> str:
    if not value:
        raise Unreadable("search_value", name, "a search parameter without a value")
    choices = value.split(",")
    if name in _REFERENCES:
        return _reference(type_name, name, choices, arguments)
    if name == "identifier":
        return "(" + " or ".join(_identifier(choice, arguments) for choice in choices) + ")"
    arguments.append([choice.rpartition("|")[2] for choice in choices] if name == "status" else choices)
    return f"r.{'id' if name == '_id' else 'status'} = any(${len(arguments)}::text[])"


def _identifier(choice: str, arguments: list[object]) -> str:
    system, bar, token = choice.rpartition("|")
    arguments.append(token)
    condition = f"x.value = ${len(arguments)}"
    if bar:
        arguments.append(system)
        condition += f" and x.system = ${len(arguments)}"
    return f"r.id in (select x.id from resource_identifier x where x.type = $1 and {condition})"


def _reference(type_name: str, name: str, choices: Sequence[str], arguments: list[object]) -> str:
    targets = [choice if "/" in choice else f"{_TARGETS[name]}/{choice}" for choice in choices]
    pairs = [target.rsplit("/", 2)[-2:] for target in targets]
    arguments.append([f"{type_name}.{element}" for element in _elements(type_name, name)])
    paths = len(arguments)
    arguments.extend(([pair[0] for pair in pairs], [pair[1] for pair in pairs]))
    return f"""r.id in (select x.from_id from reference x
        join unnest(${paths + 1}::text[], ${paths + 2}::text[]) as w(type, id)
        on x.to_type = w.type and x.to_id = w.id
        where x.from_type = $1 and x.path = any(${paths}::text[]))"""
