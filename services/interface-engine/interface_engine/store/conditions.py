"""A search's terms as SQL over `resource r`: small pieces chosen by tables, values as arguments and never in the text.

Names of types, parameters and paths stand in the text: they come from the tables of the search and not from anybody's
query, and the planner knows by them how common a value is. Below row security an index is used by leakproof operators
alone: equality, < and > on texts (collation C), moments and numbers, not LIKE, arrays or numeric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fhir_r4.search import (
    DateValue,
    Missing,
    NumberValue,
    Parameter,
    QuantityValue,
    ReferenceValue,
    StringValue,
    Term,
    TokenValue,
    UriValue,
)
from fhir_r4.search.registry import steps_of
from fhir_r4.types import is_known

from interface_engine.wire.facets import sortable

# No text goes on after this one, bytewise.
_LAST = "\U0010ffff"
# The table that holds the rows of a kind of parameter.
TABLES = {"token": "token", "string": "string", "date": "day", "number": "number", "quantity": "number", "uri": "uri"}
# x is a range of moments, the last one exclusive. The index is on `high`, so each says what it can about it.
_DAYS = {
    "eq": "x.low >= {low} and x.high <= {high} and x.high > {low}",
    "ne": "not (x.low >= {low} and x.high <= {high})",
    "gt": "x.high > {high}",
    "lt": "x.low < {low}",
    "ge": "x.high > {low} and (x.high > {high} or x.low >= {low})",
    "le": "(x.low < {low} or x.high <= {high})",
    "sa": "x.low >= {high} and x.high > {high}",
    "eb": "x.high <= {low}",
    "ap": "x.low < {high} and x.high > {low}",
}
_MOMENTS = {
    "eq": "r.updated_at >= {low} and r.updated_at < {high}",
    "ne": "(r.updated_at < {low} or r.updated_at >= {high})",
    "gt": "r.updated_at >= {high}",
    "lt": "r.updated_at < {low}",
    "ge": "r.updated_at >= {low}",
    "le": "r.updated_at < {high}",
}
_MOMENTS |= {"sa": _MOMENTS["gt"], "eb": _MOMENTS["lt"], "ap": _MOMENTS["eq"]}
_NUMBERS = {
    "eq": "x.value >= {low} and x.value < {high}",
    "ne": "(x.value < {low} or x.value >= {high})",
    "gt": "x.value > {low}",
    "lt": "x.value < {low}",
    "ge": "x.value >= {low}",
    "le": "x.value <= {low}",
}
_NUMBERS |= {"sa": _NUMBERS["gt"], "eb": _NUMBERS["lt"], "ap": _NUMBERS["eq"]}
# What has few owners for each value: such a term leads, and all others are looked up for what it finds.
_TELLING_TOKENS = frozenset({"identifier", "email", "phone", "telecom"})
_CROWDED_TARGETS = frozenset({"Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService"})
_TELLING_LENGTH = 3


@dataclass(slots=True)
class Arguments:
    """The values of a statement, by the place that stands for them in its text."""

    values: list[object] = field(default_factory=list)

    def __call__(self, value: object) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Index rows that match a term: `text` is a select without its list; x.`column` is what r.`key` has to be."""

    text: str
    column: str = "owner"
    key: str = "number"

    def holds(self, fenced: bool) -> str:
        """As a condition on r. Fenced, it is looked up for each r; else the planner may begin with it."""
        return f"exists (select 1 {self.text} and x.{self.column} = r.{self.key}{' offset 0' if fenced else ''})"

    def leads(self) -> str:
        """As the place where the search begins."""
        found = f"select distinct x.{self.column} as key {self.text} offset 0"
        return f"({found}) d join resource r on r.{self.key} = d.key"


@dataclass(frozen=True, slots=True)
class Found:
    """What stands after `from` and after `where`. `led`: it begins with what few resources have, whatever their number
    is; else the planner chooses, and should know the values when it does."""

    start: str
    conditions: str
    led: bool


def matching(type_name: str, terms: Sequence[Term], bind: Arguments, base: str) -> Found:
    """r are the resources of the type that match all terms.

    `base` is our own FHIR address: a reference by it is one to us.
    """
    leading = min(terms, key=_rank, default=None)
    led = leading is not None and _rank(leading) < _LAST_RANK
    parts = [f"r.type = '{type_name}'", "not r.deleted"]
    start = "resource r"
    for group in _groups(type_name, terms):
        term = group[0]
        own = _OWN.get(term.parameter.name) if not term.chain else None
        if own is not None:
            parts.append(own(term, bind))
        elif term is leading and led:
            start = _rows(type_name, term, bind, base).leads()
        elif len(group) > 1:
            parts.append(_during(type_name, group, bind).holds(led))
        else:
            wanted = "not " if _denies(term) else ""
            parts.append(wanted + _rows(type_name, term, bind, base).holds(led))
    return Found(start, " and ".join(parts), led)


def _groups(type_name: str, terms: Sequence[Term]) -> list[list[Term]]:
    """Terms that one row has to match together: "from" and "until" of a date that there is once."""
    together: dict[object, list[Term]] = {}
    for number, term in enumerate(terms):
        dated = term.parameter.kind == "date" and not term.chain and not term.modifier
        joined = dated and term.parameter.name not in _OWN and is_single(type_name, term.parameter)
        together.setdefault(term.parameter.name if joined else number, []).append(term)
    return list(together.values())


@cache
def is_single(type_name: str, parameter: Parameter) -> bool:
    """Whether a resource has one row of it at most."""
    if len(parameter.paths) != 1:
        return False
    return not any(element.many for step in steps_of(type_name, parameter.paths[0]) for _, element in step.elements)


def _during(type_name: str, terms: Sequence[Term], bind: Arguments) -> Rows:
    matched = " and ".join(_days(term.alternatives, bind) for term in terms)
    return _named("day", f"{type_name}.{terms[0].parameter.name}", matched)


def _denies(term: Term) -> bool:
    """Whether no row may match; in a chain that is said of the resource at its end."""
    if term.chain:
        return False
    return term.modifier == "not" or _asks_missing(term)


def _asks_missing(term: Term) -> bool:
    return term.modifier == "missing" and term.alternatives == (Missing(True),)


_LAST_RANK = 9


def _rank(term: Term) -> int:
    """How well a term leads: 0 best, _LAST_RANK not at all."""
    if term.modifier in ("not", "missing", "contains"):
        return _LAST_RANK
    if term.reverse:
        return _LAST_RANK - 1
    if term.chain:
        return 4 if all(_rank(_inner(term, parameter)) < _LAST_RANK for _, parameter in term.chain) else _LAST_RANK
    return min((rank for rank, leads in enumerate(_LEADING) if leads(term)), default=_LAST_RANK)


def _telling_token(term: Term) -> bool:
    named = term.parameter.name in _TELLING_TOKENS or term.modifier == "identifier"
    return named and all(isinstance(one, TokenValue) and one.value for one in term.alternatives)


def _telling_reference(term: Term) -> bool:
    return term.parameter.kind == "reference" and all(
        isinstance(one, ReferenceValue) and not _CROWDED_TARGETS.intersection(_types(term.parameter, one) or ("",))
        for one in term.alternatives
    )


def _telling_string(term: Term) -> bool:
    return all(isinstance(one, StringValue) and len(one.folded) >= _TELLING_LENGTH for one in term.alternatives)


_LEADING: tuple[Callable[[Term], bool], ...] = (
    lambda term: term.parameter.name == "_id",
    _telling_token,
    _telling_reference,
    _telling_string,
)


def _id(term: Term, bind: Arguments) -> str:
    if term.modifier == "missing":
        return "false" if _asks_missing(term) else "true"
    values = [one.value for one in term.alternatives if isinstance(one, TokenValue)]
    wanted = f"r.id = {bind(values[0])}" if len(values) == 1 else f"r.id = any({bind(values)}::text[])"
    return f"not {wanted}" if term.modifier == "not" else wanted


def _last_updated(term: Term, bind: Arguments) -> str:
    if term.modifier == "missing":
        return _id(term, bind)
    return _any(_ranged(_MOMENTS, one, bind, lambda moment: moment) for one in term.alternatives)


_OWN: dict[str, Callable[[Term, Arguments], str]] = {"_id": _id, "_lastUpdated": _last_updated}


def _any(conditions: Any) -> str:
    return f"({' or '.join(conditions)})"


def _rows(type_name: str, term: Term, bind: Arguments, base: str) -> Rows:
    if term.chain:
        return (_pointing_back if term.reverse else _chained)(type_name, term, bind, base)
    if term.modifier in ("identifier", "exact"):
        return _named("token", f"{type_name}.{term.parameter.name}:{term.modifier}", _tokens(term.alternatives, bind))
    if term.parameter.kind == "reference":
        return _references(type_name, term, bind, base)
    read = _MODIFIED.get(term.modifier) or _VALUES[term.parameter.kind]
    return _named(TABLES[term.parameter.kind], f"{type_name}.{term.parameter.name}", read(term.alternatives, bind))


def _named(table: str, name: str, matched: str) -> Rows:
    return Rows(f"from {table} x where x.name = '{name}' and {matched}")


def _tokens(values: Sequence[object], bind: Arguments) -> str:
    """Codes first, for the index; then the systems where one is asked for."""
    pairs = [(one.text, "") if isinstance(one, StringValue) else (one.value, one.system) for one in values]  # type: ignore[attr-defined]
    codes = [code for code, _ in pairs]
    if None in codes:
        return _any(_token(code, system, bind) for code, system in pairs)
    known = f"x.code = any({bind(codes)}::text[])" if len(codes) > 1 else f"x.code = {bind(codes[0])}"
    if all(system is None for _, system in pairs):
        return known
    if len(pairs) == 1:
        return f"{known} and x.system = {bind(pairs[0][1])}"
    return f"{known} and {_any(_token(code, system, bind) for code, system in pairs)}"


def _token(code: str | None, system: str | None, bind: Arguments) -> str:
    parts = [] if code is None else [f"x.code = {bind(code)}"]
    return " and ".join(parts if system is None else [*parts, f"x.system = {bind(system)}"])


def _strings(values: Sequence[object], bind: Arguments) -> str:
    texts = [one.folded for one in values if isinstance(one, StringValue)]
    return _any(f"x.folded >= {bind(text)} and x.folded < {bind(text + _LAST)}" for text in texts)


def _within(values: Sequence[object], bind: Arguments) -> str:
    texts = [one.folded for one in values if isinstance(one, StringValue)]
    return _any(f"strpos(x.folded, {bind(text)}) > 0" for text in texts)


def _days(values: Sequence[object], bind: Arguments) -> str:
    return _any(_ranged(_DAYS, one, bind, lambda moment: moment) for one in values)


def _numbers(values: Sequence[object], bind: Arguments) -> str:
    return _any(_number(one, bind) for one in values)


def _number(value: object, bind: Arguments) -> str:
    parts = [_ranged(_NUMBERS, value, bind, sortable)]
    if isinstance(value, QuantityValue):
        units = (("system", value.system), ("code", value.code))
        parts.extend(f"x.{column} = {bind(text)}" for column, text in units if text is not None)
    return " and ".join(parts)


def _ranged(table: dict[str, str], value: object, bind: Arguments, kept: Callable[[Any], object]) -> str:
    assert isinstance(value, DateValue | NumberValue | QuantityValue)
    text = table[value.prefix]
    low = bind(kept(value.low)) if "{low}" in text else ""
    high = bind(kept(value.high)) if "{high}" in text else ""
    return text.format(low=low, high=high)


def _uris(values: Sequence[object], bind: Arguments) -> str:
    return f"x.value = any({bind([one.value for one in values if isinstance(one, UriValue)])}::text[])"


_VALUES: dict[str, Callable[[Sequence[object], Arguments], str]] = {
    "token": _tokens,
    "string": _strings,
    "date": _days,
    "number": _numbers,
    "quantity": _numbers,
    "uri": _uris,
}
_MODIFIED: dict[str, Callable[[Sequence[object], Arguments], str]] = {
    "missing": lambda values, bind: "true",
    "contains": _within,
}


def paths_of(type_name: str, parameter: Parameter) -> list[str]:
    """The paths of a reference parameter as the reference index keeps them."""
    return [f"{type_name}.{path}" for path in parameter.paths]


def listed(texts: Sequence[str]) -> str:
    """Names of ours, for `in`."""
    return "(" + ", ".join(f"'{text}'" for text in texts) + ")"


def _linked(type_name: str, parameter: Parameter) -> str:
    """The rows of the reference index that are a parameter's."""
    kept = f"x.from_type = '{type_name}' and x.path in {listed(paths_of(type_name, parameter))}"
    return f"{kept} and x.to_type in {listed(parameter.targets)}" if parameter.targets else kept


def _types(parameter: Parameter, value: ReferenceValue) -> tuple[str, ...]:
    """The types that a value may point to; () for any."""
    return parameter.targets if value.type is None else (value.type,)


def _references(type_name: str, term: Term, bind: Arguments, base: str) -> Rows:
    matched = "true" if term.modifier == "missing" else _targets(term, bind, base)
    return Rows(f"from reference x where {_linked(type_name, term.parameter)} and {matched}", "from_id", "id")


def _targets(term: Term, bind: Arguments, base: str) -> str:
    wanted: dict[tuple[str, ...], list[str]] = {}
    for one in term.alternatives:
        if isinstance(one, ReferenceValue) and one.id and _is_ours(one, base):
            wanted.setdefault(_types(term.parameter, one), []).append(one.id)
    found = [
        f"{f'x.to_type in {listed(types)} and ' if types else ''}x.to_id = any({bind(ids)}::text[])"
        for types, ids in wanted.items()
    ]
    return _any(found) if found else "false"


def _is_ours(value: ReferenceValue, base: str) -> bool:
    """Whether it can be here: a known type, and no other server's address."""
    known = value.type is None or is_known(value.type)
    return known and (value.url is None or value.url == f"{base}/{value.type}/{value.id}")


def _inner(term: Term, parameter: Parameter) -> Term:
    return Term(parameter, term.modifier, term.alternatives)


def _chained(type_name: str, term: Term, bind: Arguments, base: str) -> Rows:
    """It points to something that matches."""
    targets = []
    for target, parameter in term.chain:
        inner = matching(target, [_inner(term, parameter)], bind, base)
        targets.append(f"select r.type, r.id from {inner.start} where {inner.conditions}")
    found = " union all ".join(targets)
    linked = _linked(type_name, term.parameter)
    text = f"from ({found}) t join reference x on x.to_type = t.type and x.to_id = t.id where {linked}"
    return Rows(text, "from_id", "id")


def _pointing_back(type_name: str, term: Term, bind: Arguments, base: str) -> Rows:
    """Something that matches points to it."""
    ((source, parameter),) = term.chain
    inner = matching(source, [_inner(term, parameter)], bind, base)
    text = f"""from (select r.id from {inner.start} where {inner.conditions}) t
        join reference x on x.from_id = t.id
        where {_linked(source, term.parameter)} and x.to_type = '{type_name}'"""
    return Rows(text, "to_id", "id")
