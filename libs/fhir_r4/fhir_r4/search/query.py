"""A search's query string, GET or POST alike: its conditions and what it says about the result.

https://hl7.org/fhir/R4/search.html. Refusals are Unreadable(code, parameter name, reason) without the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kernel.errors import Unreadable

from fhir_r4.search.asked import Include, Query, Term
from fhir_r4.search.folding import MAX_TEXT, storable
from fhir_r4.search.registry import Parameter, parameters, pointing
from fhir_r4.search.terms import shown, term_of
from fhir_r4.search.values import refused
from fhir_r4.types import is_known, shape

MAX_TERMS = 100
MAX_ALTERNATIVES = 1000

_UNUSED = frozenset(("_format", "_pretty"))
_UNSUPPORTED = frozenset(("_text", "_content", "_filter", "_list", "_query", "_containedType"))
_TOTALS = frozenset(("accurate", "none", "estimate"))
_SUMMARIES = frozenset(("true", "false", "text", "data", "count"))
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_INCLUDE_PARTS = (2, 3)
_WILDCARD = "*"


@dataclass(slots=True)
class _Gathered:
    """What has been read so far; `controls` are fields of Query by name."""

    type: str
    terms: list[Term] = field(default_factory=list)
    include: list[Include] = field(default_factory=list)
    revinclude: list[Include] = field(default_factory=list)
    sort: list[tuple[Parameter, bool]] = field(default_factory=list)
    controls: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    used: list[tuple[str, str]] = field(default_factory=list)


def parse_query(type_name: str, pairs: Iterable[tuple[str, str]], *, strict: bool = True) -> Query:
    """A search of a known type from its decoded names and values.

    Unreadable with the code search_parameter (unknown), search_modifier, search_value, search_include,
    search_not_supported or search_size. With `strict=False` unknown parameters are passed by and named in `ignored`.
    """
    if not is_known(type_name):
        raise Unreadable("search_parameter", "", "this resource type is not known")
    gathered = _Gathered(type_name)
    for name, text in pairs:
        try:
            _take(gathered, name, text)
        except Unreadable as error:
            if strict or error.code != "search_parameter":
                raise
            gathered.ignored.append(name)
    return _query(gathered)


def _query(gathered: _Gathered) -> Query:
    return Query(
        type=gathered.type,
        terms=tuple(gathered.terms),
        include=tuple(gathered.include),
        revinclude=tuple(gathered.revinclude),
        sort=tuple(gathered.sort),
        ignored=tuple(gathered.ignored),
        used=tuple(gathered.used),
        **gathered.controls,
    )


def _take(gathered: _Gathered, name: str, text: str) -> None:
    if not _plain(name) or not _plain(text):
        raise refused(shown(name), "characters that no value may hold")
    if name in _UNUSED:
        return
    if name in _UNSUPPORTED:
        raise Unreadable("search_not_supported", name, "this server does not search by it")
    base = name.partition(":")[0]
    reader = _CONTROLS.get(base)
    if reader is None:
        _add_term(gathered, name, text)
    else:
        reader(gathered, name, text)
    if base != "_cursor":
        gathered.used.append((name, text))


def _plain(text: str) -> bool:
    """Free of what a database cannot hold as text."""
    return all(storable(text[start : start + MAX_TEXT]) for start in range(0, len(text), MAX_TEXT))


def _add_term(gathered: _Gathered, name: str, text: str) -> None:
    gathered.terms.append(term_of(gathered.type, name, text))
    if len(gathered.terms) > MAX_TERMS:
        raise Unreadable("search_size", shown(name), f"a search has {MAX_TERMS} conditions at most")
    if sum(len(term.alternatives) for term in gathered.terms) > MAX_ALTERNATIVES:
        raise Unreadable("search_size", shown(name), f"a search has {MAX_ALTERNATIVES} values at most")


def _once(gathered: _Gathered, name: str, key: str, value: Any) -> None:
    """A control that may be said once, without a modifier."""
    if ":" in name:
        raise Unreadable("search_modifier", shown(name), "this parameter has no modifiers")
    if key in gathered.controls:
        raise refused(name, "said twice")
    gathered.controls[key] = value


def _count(gathered: _Gathered, name: str, text: str) -> None:
    if not _COUNT.fullmatch(text):
        raise refused(shown(name), "a count is a whole number of at most nine digits")
    _once(gathered, name, "count", int(text))


def _total(gathered: _Gathered, name: str, text: str) -> None:
    _once(gathered, name, "total", _among(name, text, _TOTALS))


def _summary(gathered: _Gathered, name: str, text: str) -> None:
    _once(gathered, name, "summary", _among(name, text, _SUMMARIES))


def _among(name: str, text: str, allowed: frozenset[str]) -> str:
    if text not in allowed:
        raise refused(shown(name), f"one of {', '.join(sorted(allowed))}")
    return text


def _contained(gathered: _Gathered, name: str, text: str) -> None:
    if text != "false":
        raise Unreadable("search_not_supported", shown(name), "contained resources are not searched")


def _cursor(gathered: _Gathered, name: str, text: str) -> None:
    _once(gathered, name, "page", text)


def _elements(gathered: _Gathered, name: str, text: str) -> None:
    known = shape(gathered.type).elements
    allowed = {*known, *(element.group for element in known.values() if element.group)}
    names = tuple(text.split(","))
    if not allowed.issuperset(names):
        raise refused(shown(name), "names of elements at the top of the resource, with commas between")
    _once(gathered, name, "elements", names)


def _sort(gathered: _Gathered, name: str, text: str) -> None:
    if ":" in name:
        raise Unreadable("search_modifier", shown(name), "the order is said by a minus sign before a name")
    known = parameters(gathered.type)
    for one in text.split(","):
        parameter = known.get(one.removeprefix("-"))
        if parameter is None:
            raise refused(name, f"{gathered.type} is not sorted by this")
        gathered.sort.append((parameter, one.startswith("-")))


def _include(gathered: _Gathered, name: str, text: str) -> None:
    iterate = _iterates(name)
    spelled = f"{gathered.type}:*" if text == _WILDCARD else text
    source, parameter, target = _parts(name, spelled)
    if not iterate and source != gathered.type:
        raise _illegal(name, f"{gathered.type} is searched, and only its references are followed without :iterate")
    gathered.include.append(Include(source, _pointers(name, source, parameter, target), target, iterate))


def _revinclude(gathered: _Gathered, name: str, text: str) -> None:
    iterate = _iterates(name)
    source, parameter, target = _parts(name, text)
    wanted = target if iterate else gathered.type
    if target not in (None, wanted):
        raise _illegal(name, f"{gathered.type} is searched, so that is what the reference has to point to")
    gathered.revinclude.append(Include(source, _pointers(name, source, parameter, wanted), target, iterate))


def _iterates(name: str) -> bool:
    modifier = name.partition(":")[2]
    if modifier not in ("", "iterate"):
        raise Unreadable("search_modifier", shown(name), "the only modifier is :iterate")
    return modifier == "iterate"


def _parts(name: str, text: str) -> tuple[str, str, str | None]:
    """Source, parameter, target or None."""
    parts = text.split(":")
    if len(parts) not in _INCLUDE_PARTS or not all(is_known(one) for one in (parts[0], *parts[2:])):
        raise _illegal(name, "Type:parameter or Type:parameter:Target, with types that are known here")
    return parts[0], parts[1], parts[2] if len(parts) == max(_INCLUDE_PARTS) else None


def _pointers(name: str, source: str, parameter: str, target: str | None) -> tuple[Parameter, ...]:
    found = tuple(one for one in pointing(source, target) if parameter in (_WILDCARD, one.name))
    if not found:
        raise _illegal(name, f"{source} has no such reference, or it does not point there")
    return found


def _illegal(name: str, reason: str) -> Unreadable:
    return Unreadable("search_include", shown(name), reason)


_CONTROLS: Mapping[str, Callable[[_Gathered, str, str], None]] = {
    "_contained": _contained,
    "_count": _count,
    "_cursor": _cursor,
    "_elements": _elements,
    "_include": _include,
    "_revinclude": _revinclude,
    "_sort": _sort,
    "_summary": _summary,
    "_total": _total,
}
