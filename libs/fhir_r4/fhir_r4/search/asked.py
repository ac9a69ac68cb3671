"""What a query string asks for, once it is read: the shapes that the search of the engine works from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fhir_r4.search.registry import Parameter
from fhir_r4.search.values import Value

Total = Literal["accurate", "none", "estimate"]
Summary = Literal["true", "false", "text", "data", "count"]
Modifier = Literal["", "exact", "contains", "not", "missing", "identifier"]


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; the alternatives are ORed.

    `chain`: (target type, parameter of that type) pairs, any of which may hold what the alternatives and the modifier
    say; `parameter` is then the reference that leads there. `reverse` (`_has`): the one pair's type is the type of
    `parameter`, whose resources point to the ones that are searched.
    """

    parameter: Parameter
    modifier: Modifier
    alternatives: tuple[Value, ...]
    chain: tuple[tuple[str, Parameter], ...] = ()
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` and `_revinclude`: resources of type `source` point with one of the parameters, to `target` or any."""

    source: str
    parameters: tuple[Parameter, ...]
    target: str | None = None
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A whole search. All terms must hold. `sort` has True for descending. `page` is our own cursor, "" for the first
    page. `used` is what the self link repeats; `ignored` names the parameters that a lenient search passed by."""

    type: str
    terms: tuple[Term, ...] = ()
    include: tuple[Include, ...] = ()
    revinclude: tuple[Include, ...] = ()
    sort: tuple[tuple[Parameter, bool], ...] = ()
    count: int | None = None
    total: Total | None = None
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    page: str = ""
    used: tuple[tuple[str, str], ...] = ()
