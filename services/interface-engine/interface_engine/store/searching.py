"""Searches as statements: pages in a stable order, counts, and what is included with the matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fhir_r4 import read
from fhir_r4.search import Parameter, Query, Term, TokenValue
from kernel.errors import Unreadable

from interface_engine.model import Facets
from interface_engine.store.conditions import TABLES, Arguments, Found, is_single, listed, matching, paths_of
from interface_engine.store.shapes import Stored
from interface_engine.wire.facets import facets_of, plain

_CURSOR = re.compile(r"(\d{1,18})\.([A-Za-z0-9.\-]{1,64})", re.ASCII)
_FOUND = """cross join lateral (
    select bytes from resource_version where type = m.type and id = m.id and version = m.version limit 1
) v"""
_STORED = "m.type, m.id, v.bytes, m.version, m.updated_at as received_at, false as deleted"
# The column that a kind of parameter is sorted by.
_SORTED = {"token": "code", "string": "folded", "date": "high", "number": "value", "quantity": "value", "uri": "value"}
CONTENTS = f"""
select {_STORED}
from unnest($1::text[], $2::text[]) as w(type, id)
cross join lateral (
    select type, id, version, updated_at from resource where type = w.type and id = w.id and not deleted limit 1
) m {_FOUND} order by m.type, m.id
"""
TARGETS = """
select distinct x.to_type as type, x.to_id as id from unnest($1::text[]) as w(id) cross join lateral (
    select to_type, to_id from reference
    where from_type = $2 and from_id = w.id and path = any($3::text[]) and ($4::text = '' or to_type = $4) offset 0
) x order by 1, 2 limit $5
"""
SOURCES = """
select distinct x.from_type as type, x.from_id as id from unnest($1::text[], $2::text[]) as w(type, id)
cross join lateral (
    select from_type, from_id from reference
    where to_type = w.type and to_id = w.id and from_type = $3 and path = any($4::text[]) offset 0
) x order by 1, 2 limit $5
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its arguments. Unless it is led, it is to be planned for them."""

    text: str
    arguments: tuple[object, ...]
    led: bool


@dataclass(frozen=True, slots=True)
class _Key:
    """One thing that matches are ordered by. `join` finds it where the resource itself does not hold it."""

    expression: str
    descending: bool
    join: str = ""

    @property
    def order(self) -> str:
        return f"{self.expression} {'desc' if self.descending else 'asc'}{' nulls last' if self.join else ''}"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a search's matches: those behind the keys `last`. Of an order by one date that a resource has once,
    the index of dates itself gives the order of those that have it ("dated"); all others follow ("undated")."""

    of: Literal["all", "dated", "undated"] = "all"
    last: Sequence[object] | None = None


def parts_of(query: Query, last: Sequence[object] | None, base: str = "") -> tuple[Part, ...]:
    """What a page is made of, one after the other until it is full; `last` are the keys where the page before ended."""
    if not _walks(query, base):
        return (Part("all", last),)
    if last is not None and last[0] is None:
        return (Part("undated", last[1:]),)
    return Part("dated", last), Part("undated")


def _walks(query: Query, base: str) -> bool:
    if len(query.sort) != 1 or query.sort[0][0].kind != "date" or query.sort[0][0].name in _OWN_KEYS:
        return False
    return is_single(query.type, query.sort[0][0]) and not matching(query.type, query.terms, Arguments(), base).led


def ids_statement(query: Query, limit: int, base: str = "") -> Statement:
    """Ids of matches, in their order."""
    bind = Arguments()
    found = matching(query.type, query.terms, bind, base)
    text = f"select r.id from {found.start} where {found.conditions} order by r.id limit {bind(limit)}"
    return Statement(text, tuple(bind.values), found.led)


def count_statement(query: Query, most: int | None, base: str = "") -> Statement:
    """How many match, counted no further than `most`."""
    bind = Arguments()
    found = matching(query.type, query.terms, bind, base)
    limit = "" if most is None else f" limit {bind(most)}"
    text = f"select count(*) from (select 1 from {found.start} where {found.conditions}{limit}) m"
    return Statement(text, tuple(bind.values), found.led)


def page_statement(query: Query, limit: int, part: Part, base: str = "") -> Statement:
    """The next matches of a part."""
    bind = Arguments()
    found = matching(query.type, query.terms, bind, base)
    start, conditions, keys = _SHAPES[part.of](query, found)
    after = f" and {_after(keys, part.last, bind)}" if part.last is not None else ""
    named = ", ".join(f"{key.expression} as k{number}" for number, key in enumerate(keys))
    order = ", ".join(key.order for key in keys)
    outer = ", ".join(_Key(f"m.k{number}", key.descending, key.join).order for number, key in enumerate(keys))
    inner = f"""select r.type, r.id, r.version, r.updated_at, {named} from {start}
        where {conditions}{after} order by {order} limit {bind(limit)}"""
    return Statement(f"select {_STORED} from ({inner}) m {_FOUND} order by {outer}", tuple(bind.values), found.led)


def _whole(query: Query, found: Found) -> tuple[str, str, list[_Key]]:
    """Ordered by what was asked for, and the id, which is no other's."""
    keys = [_key(query.type, number, *one) for number, one in enumerate(query.sort)]
    keys.append(_Key("r.id", keys[-1].descending if keys else False))
    return found.start + "".join(key.join for key in keys), found.conditions, keys


def _dated(query: Query, found: Found) -> tuple[str, str, list[_Key]]:
    ((parameter, descending),) = query.sort
    start = f"day s join {found.start} on r.number = s.owner"
    conditions = f"s.name = '{query.type}.{parameter.name}' and {found.conditions}"
    return start, conditions, [_Key("s.high", descending), _Key("r.id", descending)]


def _undated(query: Query, found: Found) -> tuple[str, str, list[_Key]]:
    ((parameter, descending),) = query.sort
    absent = f"not exists (select 1 from day s where s.owner = r.number and s.name = '{query.type}.{parameter.name}')"
    return found.start, f"{found.conditions} and {absent}", [_Key("r.id", descending)]


_SHAPES: Mapping[str, Callable[[Query, Found], tuple[str, str, list[_Key]]]] = {
    "all": _whole,
    "dated": _dated,
    "undated": _undated,
}


def _key(type_name: str, number: int, parameter: Parameter, descending: bool) -> _Key:
    if parameter.name in _OWN_KEYS:
        return _Key(_OWN_KEYS[parameter.name], descending)
    chosen = "max" if descending else "min"
    if parameter.kind == "reference":
        where = (
            f"x.from_type = '{type_name}' and x.from_id = r.id and x.path in {listed(paths_of(type_name, parameter))}"
        )
        found = f'select {chosen}(x.to_id collate "C") as value from reference x where {where}'
    else:
        column, table = _SORTED[parameter.kind], TABLES[parameter.kind]
        where = f"x.owner = r.number and x.name = '{type_name}.{parameter.name}'"
        found = f"select {chosen}(x.{column}) as value from {table} x where {where}"
    return _Key(f"s{number}.value", descending, f" cross join lateral ({found}) s{number}")


_OWN_KEYS = {"_id": "r.id", "_lastUpdated": "r.updated_at"}


def _after(keys: Sequence[_Key], last: Sequence[object], bind: Arguments) -> str:
    """Behind the last match: equal in the first keys and behind in the next. What has no value stands at the end."""
    places = [None if value is None else bind(value) for value in last]
    if len({key.descending for key in keys}) == 1 and not any(key.join for key in keys):
        sign = "<" if keys[0].descending else ">"
        behind = f"({', '.join(key.expression for key in keys)}) {sign} ({', '.join(map(str, places))})"
        return f"{keys[0].expression} {sign}= {places[0]} and {behind}"  # the first is what an index can tell
    choices = []
    for number, key in enumerate(keys):
        same = [
            f"{one.expression} is null" if place is None else f"{one.expression} = {place}"
            for one, place in zip(keys[:number], places, strict=False)
        ]
        behind = _behind(key, places[number])
        choices.extend([" and ".join([*same, behind])] if behind else [])
    return f"({' or '.join(choices)})"


def _behind(key: _Key, place: str | None) -> str:
    """ "" when nothing is behind."""
    if place is None:
        return ""
    found = f"{key.expression} {'<' if key.descending else '>'} {place}"
    return f"({found} or {key.expression} is null)" if key.join else found


# Where a page ended is said by the version of its last match: the keys are read from that version, which never changes,
# so that nothing of the resource stands in an address.


def cursor_of(last: Stored) -> str:
    return f"{last.version}.{last.id}"


def read_cursor(cursor: str) -> tuple[int, str]:
    """Version and id."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Unreadable("search_value", "_cursor", "a place that no page of ours ended at")
    return int(match[1]), match[2]


def keys_of(query: Query, last: Stored) -> list[object]:
    """The keys of a match, as the order of the search has them."""
    facets = facets_of(read(last.content)) if any(one.name not in _OWN_KEYS for one, _ in query.sort) else Facets()
    return [*(_key_value(query.type, last, facets, *one) for one in query.sort), last.id]


def _key_value(type_name: str, last: Stored, facets: Facets, parameter: Parameter, descending: bool) -> object:
    if parameter.name in _OWN_KEYS:
        return last.id if parameter.name == "_id" else last.updated_at
    if parameter.kind == "reference":
        paths = paths_of(type_name, parameter)
        values: list[object] = [link.to.split("/")[1] for link in facets.links if plain(link.path) in paths]
    else:
        name = f"{type_name}.{parameter.name}"
        values = [row[1] for row in _FACETS[parameter.kind](facets) if row[0] == name]
    return (max if descending else min)(values, default=None)  # type: ignore[type-var]


# The rows of a kind as (name, what it is sorted by).
_FACETS: Mapping[str, Callable[[Facets], Iterable[tuple[str, object]]]] = {
    "token": lambda facets: ((name, code) for name, _, code in facets.tokens),
    "string": lambda facets: facets.strings,
    "date": lambda facets: ((name, high) for name, _, high in facets.days),
    "number": lambda facets: ((name, value) for name, value, _, _ in facets.numbers),
    "quantity": lambda facets: ((name, value) for name, value, _, _ in facets.numbers),
    "uri": lambda facets: facets.uris,
}


def indexed_types(query: Query) -> list[str]:
    """The types of which every resource must have been indexed for this search. Identifiers and references were there
    before the search was, and our own keys need no index."""
    sorted_by = any(one.name not in _OWN_KEYS for one, _ in query.sort)
    types = {query.type} if sorted_by else set()
    for term in query.terms:
        ends = [(query.type, term.parameter)] if not term.chain else list(term.chain)
        types |= {name for name, parameter in ends if not _always_there(term, parameter)}
    return sorted(types)


def _always_there(term: Term, parameter: Parameter) -> bool:
    if term.modifier == "identifier":
        return False
    return parameter.name in ("identifier", *_OWN_KEYS) or parameter.kind == "reference"


def identifier_of(query: Query) -> tuple[str, str | None, str] | None:
    """Name, system (None: any) and code, when the query asks for one identifier and for nothing else."""
    if len(query.terms) != 1 or query.page:
        return None
    term = query.terms[0]
    if term.parameter.name != "identifier" or term.modifier or term.chain or len(term.alternatives) != 1:
        return None
    value = term.alternatives[0]
    if not isinstance(value, TokenValue) or value.value is None:
        return None
    return f"{query.type}.identifier", value.system, value.value
