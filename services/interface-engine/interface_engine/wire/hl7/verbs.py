"""What the verbs of a channel do: each expression becomes a function that reads values out of a scope."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from kernel.codes import IDENTIFIER_TYPE
from kernel.errors import Unreadable
from kernel.money import from_cents

from interface_engine.rules.templates import Expr, Place, Rule, Test
from interface_engine.wire.hl7 import datatypes as types
from interface_engine.wire.hl7.filling import Filled, Filler, fill
from interface_engine.wire.hl7.scope import Scope

Reader = Callable[[Scope], list[Any]]


def reader(value: Expr | Place) -> Reader:
    """The function that gives the values of an expression, none when there are none."""
    if isinstance(value, Place):
        return lambda scope: scope.texts(value)
    return _MAKERS[value.verb](value)


def first_of(readers: tuple[Reader, ...], scope: Scope) -> Any:
    """The first value of the first that has any; "" when none has."""
    for one in readers:
        found = one(scope)
        if found:
            return found[0]
    return ""


def tester(test: Test) -> Callable[[Scope], bool]:
    """The condition as a function: no text at all is "not filled" and none of the texts."""

    def holds(scope: Scope) -> bool:
        texts = scope.texts(test.place)
        if test.filled is not None and bool(texts) != test.filled:
            return False
        if test.among and not any(text in test.among for text in texts):
            return False
        if test.not_among and any(text in test.not_among for text in texts):
            return False
        return not test.starts_with or any(text.startswith(test.starts_with) for text in texts)

    return holds


def _texts(function: Callable[..., str]) -> Callable[[Expr], Reader]:
    """A verb that changes each text, with its options as arguments."""

    def make(expr: Expr) -> Reader:
        read, options = reader(expr.argument), dict(expr.options)
        return lambda scope: [made for text in read(scope) if (made := function(str(text), **options))]

    return make


def _parsed(code: str, function: Callable[[str, Scope], Any]) -> Callable[[Expr], Reader]:
    """A verb that reads each text as something; what cannot be read is a flaw and left out."""

    def make(expr: Expr) -> Reader:
        read = reader(expr.argument)

        def run(scope: Scope) -> list[Any]:
            found: list[Any] = []
            for text in read(scope):
                try:
                    found.append(function(text, scope))
                except (Unreadable, ValueError):
                    scope.flaw(scope.origins[-1] if scope.origins else "", code)
            return found

        return run

    return make


def _constant(expr: Expr) -> Reader:
    return lambda scope: [expr.argument]


def _lookup(expr: Expr) -> Reader:
    read, name, otherwise = reader(expr.argument), expr.options["table"], expr.options.get("otherwise", "")

    def run(scope: Scope) -> list[Any]:
        table = scope.job.channel.tables[name]
        found = (table.get(text) or table.get(text.upper()) or otherwise for text in read(scope))
        values = [one for one in found if one]
        return values or ([otherwise] if otherwise and not scope.null else [])

    return run


def _split(expr: Expr) -> Reader:
    read, by, part = reader(expr.argument), expr.options["by"], expr.options.get("part", 0)

    def run(scope: Scope) -> list[Any]:
        rows = [[piece.strip() for piece in text.split(by)] for text in read(scope)]
        if part:
            return [row[part - 1] for row in rows if len(row) >= part and row[part - 1]]
        return [piece for row in rows for piece in row if piece]

    return run


def _join(expr: Expr) -> Reader:
    readers = tuple(reader(one) for one in expr.argument)
    mark = expr.options.get("with", " ")

    def run(scope: Scope) -> list[Any]:
        text = mark.join(str(one) for read in readers for one in read(scope))
        return [text] if text else []

    return run


def _first(expr: Expr) -> Reader:
    read = reader(expr.argument)
    return lambda scope: read(scope)[:1]


def _coalesce(expr: Expr) -> Reader:
    readers = tuple(reader(one) for one in expr.argument)
    return lambda scope: next((found for read in readers if (found := read(scope))), [])


def _when(expr: Expr) -> Reader:
    holds, then = tester(expr.argument), reader(expr.options["then"])
    otherwise = reader(expr.options["else"]) if "else" in expr.options else lambda scope: []
    return lambda scope: then(scope) if holds(scope) else otherwise(scope)


def _parts(by_part: Callable[..., Any], by_parts: Callable[..., Any]) -> Callable[[Expr], Reader]:
    """A verb over an HL7 data type, or over its parts one by one."""

    def make(expr: Expr) -> Reader:
        if isinstance(expr.argument, Mapping):
            pieces = {name: reader(value) for name, value in expr.argument.items()}

            def of_pieces(scope: Scope) -> list[Any]:
                found = {name: str(next(iter(read(scope)), "")) for name, read in pieces.items()}
                made = by_parts(scope, found, expr.options) if any(found.values()) else None
                return [made] if made else []

            return of_pieces
        if isinstance(expr.argument, Place):
            place = expr.argument
            of_column = make(_of_main(expr))

            def of_place(scope: Scope) -> list[Any]:
                if scope.columns is not None:
                    return of_column(scope)
                found = (by_part(scope, part, expr.options) for part in scope.parts(place))
                return [made for made in found if made]

            return of_place
        return make(_of_main(expr))

    return make


def _of_main(expr: Expr) -> Expr:
    """The verb over the one part that a bare text is: a name, a number, a code."""
    return Expr(expr.verb, {_MAIN_PART[expr.verb]: expr.argument}, expr.options, expr.line)


_MAIN_PART = {"identifier": "value", "name": "text", "address": "line", "telecom": "value", "codeable": "code",
              "coding": "code"}  # fmt: skip


def _table(scope: Scope, options: Mapping[str, Any]) -> Mapping[str, str] | None:
    return scope.job.channel.tables[options["table"]] if "table" in options else None


def _identifier_of(scope: Scope, parts: Mapping[str, str], options: Mapping[str, Any]) -> Any:
    base = scope.job.channel.identity.base
    made = {"system": options.get("system", f"{base}/id"), "value": parts["value"]}
    if "type" in options:
        made = {"type": {"coding": [{"system": IDENTIFIER_TYPE, "code": options["type"]}]}, **made}
    return made


def _telecom_of(scope: Scope, parts: Mapping[str, str], options: Mapping[str, Any]) -> Any:
    kind = options.get("system") or ("email" if "@" in parts["value"] else "phone")
    return types.kept(system=kind, value=parts["value"], use=options.get("use", ""))


def _period(expr: Expr) -> Reader:
    pieces = {name: reader(value) for name, value in expr.argument.items()}

    def run(scope: Scope) -> list[Any]:
        found: dict[str, str] = {}
        for name, read in pieces.items():
            for text in read(scope)[:1]:
                try:
                    found[name] = types.fhir_datetime(text, scope.job.channel.zone)
                except Unreadable:
                    scope.flaw(scope.origins[-1] if scope.origins else "", "date-unreadable")
        return [found] if found else []

    return run


def _quantity(expr: Expr) -> Reader:
    read = _parsed("number-unreadable", lambda text, scope: types.number(text))(
        Expr("number", expr.argument, {}, expr.line)
    )
    unit = reader(expr.options["unit"]) if "unit" in expr.options else None

    def run(scope: Scope) -> list[Any]:
        found = read(scope)[:1]
        text = next(iter(unit(scope)), "") if unit is not None and found else ""
        return [types.kept(value=value, unit=text) for value in found]

    return run


def _reference(expr: Expr) -> Reader:
    target = expr.argument
    if "from" not in expr.options:
        return lambda scope: [found for found in (scope.job.own_reference(target),) if found]
    place: Place = expr.options["from"]

    def run(scope: Scope) -> list[Any]:
        label = scope.label(place)
        found = (scope.job.made_reference(target, part, label) for part in scope.parts(place))
        return [one for one in found if one]

    return run


def _group(expr: Expr) -> Reader:
    rules = filler(expr.argument)
    each: Place | None = expr.options.get("each")

    def run(scope: Scope) -> list[Any]:
        made = [_filled(rules, inner, scope) for inner in _scopes(scope, each)]
        return [one for one in made if one]

    return run


def _scopes(scope: Scope, each: Place | None) -> list[Scope]:
    if each is None:
        return [scope]
    if each.field == 0:
        rows = scope.job.rows_of(each.segment)
        return [scope.within(**{each.segment: row}) for row in rows]
    return [scope.holding(each, part) for part in scope.parts(each)]


def _filled(rules: tuple[Filler, ...], inner: Scope, outer: Scope) -> dict[str, Any]:
    filled: Filled = fill(rules, inner)
    outer.origins.extend(source for _, source in filled.origins)
    outer.null = outer.null or (bool(filled.cleared) and not filled.resource)
    return filled.resource


def filler(rules: Mapping[str, Rule]) -> tuple[Filler, ...]:
    """The rules of a resource or group as functions."""
    return tuple(
        Filler(rule.path, rule.many, tuple(reader(value) for value in rule.values), rule.check)
        for rule in rules.values()
    )


def _annotation(expr: Expr) -> Reader:
    read = reader(expr.argument)
    return lambda scope: [{"text": str(text)} for text in read(scope)]


def _whole(text: str, scope: Scope) -> int:
    value = types.number(text)
    if value != value.to_integral_value():
        raise ValueError
    return int(value)


def _boolean(text: str, scope: Scope) -> bool:
    answer = {"Y": True, "N": False, "YES": True, "NO": False, "TRUE": True, "FALSE": False, "1": True, "0": False}
    return answer[text.upper()] if text.upper() in answer else _refuse()


def _refuse() -> bool:
    raise ValueError


def _money(text: str, scope: Scope) -> dict[str, Any]:
    return {"value": Decimal(from_cents(types.cents(text))), "currency": "USD"}


def _instant(text: str, scope: Scope) -> str:
    return types.fhir_datetime(text, scope.job.channel.zone)


def _day(text: str, scope: Scope) -> str:
    return types.fhir_date(text, scope.job.channel.zone)


def _encoded(expr: Expr) -> Reader:
    read, kind = reader(expr.argument), expr.options.get("content_type", "text/plain")
    return lambda scope: [
        {"contentType": kind, "data": base64.b64encode(str(text).encode()).decode()} for text in read(scope)
    ]


_MAKERS: Mapping[str, Callable[[Expr], Reader]] = {
    "copy": _texts(lambda text: text),
    "constant": _constant,
    "lookup": _lookup,
    "date": _parsed("date-unreadable", _day),
    "datetime": _parsed("date-unreadable", _instant),
    "money": _parsed("amount-unreadable", _money),
    "cents": _parsed("amount-unreadable", lambda text, scope: types.cents(text)),
    "number": _parsed("number-unreadable", lambda text, scope: types.number(text)),
    "whole": _parsed("number-unreadable", _whole),
    "boolean": _parsed("flag-unreadable", _boolean),
    "split": _split,
    "join": _join,
    "first": _first,
    "coalesce": _coalesce,
    "when": _when,
    "upper": _texts(str.upper),
    "lower": _texts(str.lower),
    "strip": _texts(str.strip),
    "digits": _texts(lambda text: "".join(filter(str.isdigit, text))),
    "before": _texts(lambda value, mark: value.partition(mark)[0].strip()),
    "after": _texts(lambda value, mark: value.partition(mark)[2].strip()),
    "prefix": _texts(lambda value, text: text + value),
    "drop_prefix": _texts(lambda value, text: value.removeprefix(text)),
    "drop_suffix": _texts(lambda value, text: value.removesuffix(text)),
    "identifier": _parts(
        lambda scope, part, options: types.identifier(
            part, scope.job.channel, options.get("system", ""), options.get("type", "")
        ),
        _identifier_of,
    ),
    "name": _parts(
        lambda scope, part, options: types.name(part, scope.job.channel, options.get("use", "")),
        lambda scope, parts, options: types.name_of_parts(parts, options.get("use", "")),
    ),
    "address": _parts(
        lambda scope, part, options: types.address(part, scope.job.channel, options.get("use", "")),
        lambda scope, parts, options: types.address_of_parts(parts, options.get("use", "")),
    ),
    "telecom": _parts(
        lambda scope, part, options: types.telecom(
            part, scope.job.channel, options.get("use", ""), options.get("system", "")
        ),
        _telecom_of,
    ),
    "codeable": _parts(
        lambda scope, part, options: types.codeable(
            part, scope.job.channel, options.get("system", ""), _table(scope, options)
        ),
        lambda scope, parts, options: types.concept_of_parts(parts, options.get("system", ""), _table(scope, options)),
    ),
    "coding": _parts(
        lambda scope, part, options: types.coding(
            part, scope.job.channel, options.get("system", ""), _table(scope, options)
        ),
        lambda scope, parts, options: types.coding_of_parts(parts, options.get("system", ""), _table(scope, options)),
    ),
    "quantity": _quantity,
    "period": _period,
    "reference": _reference,
    "group": _group,
    "annotation": _annotation,
    "attachment": _encoded,
}
