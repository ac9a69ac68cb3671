"""Whether a resource at hand is one that a search would find, without asking the database.

What needs other resources (chains, _has) is left to the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from fhir_r4.search import (
    DateValue,
    Indexed,
    Missing,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    Term,
    TokenValue,
    UriValue,
    index,
)

from interface_engine.model import Draft
from interface_engine.wire.facets import plain

_Moments = Callable[[datetime, datetime, datetime, datetime], bool]
# A row's range, then the value's; ranges end before their high. https://hl7.org/fhir/R4/search.html#prefix
_DATES: Mapping[str, _Moments] = {
    "eq": lambda low, high, first, last: low >= first and high <= last,
    "ne": lambda low, high, first, last: not (low >= first and high <= last),
    "gt": lambda low, high, first, last: high > last,
    "lt": lambda low, high, first, last: low < first,
    "ge": lambda low, high, first, last: high > last or (low >= first and high <= last),
    "le": lambda low, high, first, last: low < first or (low >= first and high <= last),
    "sa": lambda low, high, first, last: low >= last,
    "eb": lambda low, high, first, last: high <= first,
    "ap": lambda low, high, first, last: low < last and high > first,
}
_NUMBERS: Mapping[str, Callable[[Decimal, Decimal, Decimal], bool]] = {
    "eq": lambda value, low, high: low <= value < high,
    "ne": lambda value, low, high: not low <= value < high,
    "ap": lambda value, low, high: low <= value < high,
    "gt": lambda value, low, high: value > low,
    "sa": lambda value, low, high: value > low,
    "lt": lambda value, low, high: value < low,
    "eb": lambda value, low, high: value < low,
    "ge": lambda value, low, high: value >= low,
    "le": lambda value, low, high: value <= low,
}


@dataclass(slots=True)
class Subject:
    """A resource that terms are held against; it is indexed once, when the first term asks."""

    draft: Draft
    base: str = ""
    _rows: Indexed | None = None
    _leads_to: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    @property
    def rows(self) -> Indexed:
        if self._rows is None:
            self._rows = index(self.draft.resource)
        return self._rows

    def targets(self, paths: tuple[str, ...]) -> list[str]:
        """What the references at these paths lead to, as Type/id; looked up once, however many ask."""
        found = self._leads_to.get(paths)
        if found is None:
            wanted = {f"{self.draft.type}.{path}" for path in paths}
            found = [link.to for link in self.draft.facets.links if plain(link.path) in wanted]
            self._leads_to[paths] = found
        return found

    def matches(self, terms: Iterable[Term]) -> bool:
        """Whether all of these hold. None of them may need the repository (`needs_repository`)."""
        return all(_holds(self, term) for term in terms)


def needs_repository(terms: Iterable[Term]) -> bool:
    return any(term.chain or term.reverse for term in terms)


def _holds(subject: Subject, term: Term) -> bool:
    name = term.parameter.name
    if term.modifier == "missing":
        wanted = any(isinstance(one, Missing) and one.value for one in term.alternatives)
        return _present(subject, term) != wanted
    if term.modifier == "not":
        return not any(_token(subject.rows, name, one) for one in term.alternatives)
    if term.modifier == "identifier":
        return any(_token(subject.rows, f"{name}:identifier", one) for one in term.alternatives)
    return any(_matches(subject, term, one) for one in term.alternatives)


def _present(subject: Subject, term: Term) -> bool:
    name, rows = term.parameter.name, subject.rows
    if term.parameter.kind == "reference":
        return bool(_targets(subject, term))
    found = (rows.tokens, rows.strings, rows.dates, rows.numbers, rows.uris)
    return any(row[0] == name for some in found for row in some)


def _matches(subject: Subject, term: Term, value: Any) -> bool:
    name, rows = term.parameter.name, subject.rows
    match value:
        case TokenValue():
            return _token(rows, name, value)
        case StringValue():
            return _string(rows, name, term.modifier, value)
        case DateValue():
            found = (row for row in rows.dates if row[0] == name)
            return any(_DATES[value.prefix](low, high, value.low, value.high) for _, low, high in found)
        case NumberValue():
            numbers = (row[1] for row in rows.numbers if row[0] == name)
            return any(_NUMBERS[value.prefix](one, value.low, value.high) for one in numbers)
        case QuantityValue():
            return any(_quantity(row, value) for row in rows.numbers if row[0] == name)
        case ReferenceValue():
            return any(_leads(target, value, subject.base) for target in _targets(subject, term))
        case UriValue():
            return (name, value.value) in rows.uris
    return False


def _token(rows: Indexed, name: str, value: Any) -> bool:
    return any(
        row[0] == name and value.system in (None, row[1]) and value.value in (None, row[2]) for row in rows.tokens
    )


def _string(rows: Indexed, name: str, modifier: str, value: StringValue) -> bool:
    if modifier == "exact":
        return (f"{name}:exact", "", value.text) in rows.tokens
    texts = (row[1] for row in rows.strings if row[0] == name)
    if modifier == "contains":
        return any(value.folded in text for text in texts)
    return any(text.startswith(value.folded) for text in texts)


def _quantity(row: tuple[str, Decimal, str, str], value: QuantityValue) -> bool:
    unit = value.system in (None, row[2]) and value.code in (None, row[3])
    return unit and _NUMBERS[value.prefix](row[1], value.low, value.high)


def _targets(subject: Subject, term: Term) -> Iterable[str]:
    """What the parameter's references lead to, of the types that it allows."""
    found = subject.targets(term.parameter.paths)
    return [target for target in found if term.parameter.allows(target.partition("/")[0])] if found else found


def _leads(target: str, value: ReferenceValue, base: str) -> bool:
    type_name, _, identity = target.partition("/")
    ours = value.url is None or value.url.startswith(f"{base}/")
    return ours and value.type in (None, type_name) and value.id == identity
