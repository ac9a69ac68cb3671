"""What a search asks for: the values of a parameter, read from the text of a query by the parameter's kind.

https://hl7.org/fhir/R4/search.html#ptypes. Every refusal is Unreadable("search_value", parameter name, reason) and
never repeats the value, which may be a name or a member id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from kernel.errors import Unreadable

from fhir_r4.references import parse as parse_reference
from fhir_r4.search.folding import MAX_TEXT, fold
from fhir_r4.search.moments import interval, widened
from fhir_r4.search.registry import Parameter

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]

_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)
_URL = re.compile(r"(?:https?://|urn:)\S+")
# A plus sign of a time zone that the client did not write as %2B comes in as a space.
_LOST_PLUS = re.compile(r"(T\S+) (\d\d:\d\d)")
_RANGED = frozenset(("eq", "ne", "ap"))
_HALF, _TENTH = Decimal("0.5"), Decimal("0.1")
_QUANTITY_PARTS = 3
_TOKEN_PARTS = 2


@dataclass(frozen=True, slots=True)
class TokenValue:
    """None is "any"; a system of "" is "without a system"."""

    system: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class StringValue:
    """The text as sent, for `:exact`, and folded for all else."""

    folded: str
    text: str


@dataclass(frozen=True, slots=True)
class DateValue:
    """The moments from low up to but not including high, in UTC; `ap` is widened already."""

    prefix: Prefix
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class NumberValue:
    """eq, ne, ap: from low up to but not including high. Other prefixes: low and high are the number itself."""

    prefix: Prefix
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """A NumberValue with its unit; None is "any"."""

    prefix: Prefix
    low: Decimal
    high: Decimal
    system: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """An id of a type (None: any that the parameter allows), or an address; an address of a resource has all three."""

    type: str | None
    id: str | None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class UriValue:
    value: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether the element is to be missing."""

    value: bool


Value = TokenValue | StringValue | DateValue | NumberValue | QuantityValue | ReferenceValue | UriValue | Missing


def refused(parameter: str, reason: str) -> Unreadable:
    """A refusal of a value."""
    return Unreadable("search_value", parameter, reason)


def split(text: str, separator: str) -> list[str]:
    r"""The parts between separators that are not escaped with a backslash; the escapes stay."""
    if "\\" not in text:
        return text.split(separator)
    parts, start = [], 0
    for found in re.finditer(rf"\\.|{re.escape(separator)}", text, re.DOTALL):
        if found[0] == separator:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def unescaped(text: str) -> str:
    r"""Without the backslashes of \, \| \$ and \\; any other backslash stands for itself."""
    return re.sub(r"\\([,|$\\])", r"\1", text) if "\\" in text else text


def token(parameter: str, text: str) -> TokenValue:
    """ "v", "s|v", "|v" or "s|"."""
    parts = [unescaped(part) for part in split(text, "|")]
    if len(parts) > _TOKEN_PARTS:
        raise refused(parameter, "a token is a code, or a system and a code with one bar between")
    if len(parts) == 1:
        return TokenValue(None, parts[0])
    system, value = parts
    if not system and not value:
        raise refused(parameter, "a token needs a system or a code")
    return TokenValue(system, value or None)


def missing(parameter: str, text: str) -> Missing:
    """true or false."""
    if text not in ("true", "false"):
        raise refused(parameter, "missing is true or false")
    return Missing(text == "true")


def _token(parameter: Parameter, text: str) -> TokenValue:
    return token(parameter.name, text)


def _string(parameter: Parameter, text: str) -> StringValue:
    plain = unescaped(text)[:MAX_TEXT]
    folded = fold(plain)
    if not folded:
        raise refused(parameter.name, "there is no text to search for")
    return StringValue(folded, plain)


def _date(parameter: Parameter, text: str) -> DateValue:
    prefix, rest = _prefixed(text)
    found = interval(_LOST_PLUS.sub(r"\1+\2", rest))
    if found is None:
        raise refused(parameter.name, "not a date, or not one of the prefixes eq ne gt lt ge le sa eb ap before it")
    low, high = widened(*found) if prefix == "ap" else found
    return DateValue(prefix, low, high)


def _number(parameter: Parameter, text: str) -> NumberValue:
    return NumberValue(*_bounds(parameter.name, text))


def _quantity(parameter: Parameter, text: str) -> QuantityValue:
    parts = [unescaped(part) for part in split(text, "|")]
    if len(parts) not in (1, _QUANTITY_PARTS):
        raise refused(parameter.name, "a quantity is a number, or a number, a system and a code with bars between")
    prefix, low, high = _bounds(parameter.name, parts[0])
    system, code = parts[1:] if len(parts) == _QUANTITY_PARTS else ("", "")
    return QuantityValue(prefix, low, high, system or None, code or None)


def _bounds(parameter: str, text: str) -> tuple[Prefix, Decimal, Decimal]:
    prefix, rest = _prefixed(text)
    if not _NUMBER.fullmatch(rest):
        raise refused(parameter, "not a number, or not one of the prefixes eq ne gt lt ge le sa eb ap before it")
    number = Decimal(rest)
    if prefix not in _RANGED:
        return prefix, number, number
    margin = abs(number) * _TENTH if prefix == "ap" else _half_of_last_place(rest, number)
    return prefix, number - margin, number + margin


def _half_of_last_place(text: str, number: Decimal) -> Decimal:
    """100 is 99.5 to 100.5, 100.00 is 99.995 to 100.005, and 1e2 is 95 to 105: R4 reads it as 1.0e2."""
    exponent = cast(int, number.as_tuple().exponent)
    if "e" in text.lower() and "." not in text:
        exponent -= 1
    return _HALF.scaleb(exponent)


def _prefixed(text: str) -> tuple[Prefix, str]:
    match = _PREFIXED.fullmatch(text)
    prefix, rest = match.groups() if match else (None, text)
    return cast(Prefix, prefix or "eq"), rest


def _reference(parameter: Parameter, text: str) -> ReferenceValue:
    plain = unescaped(text)
    if _ID.fullmatch(plain):
        only = parameter.targets[0] if len(parameter.targets) == 1 else None
        return ReferenceValue(only, plain)
    target = parse_reference(plain)
    if target.kind in ("relative", "absolute") and target.type:
        if not parameter.allows(target.type):
            raise refused(parameter.name, "this parameter does not point to that type")
        return ReferenceValue(target.type, target.id, plain if target.kind == "absolute" else None)
    if not _URL.fullmatch(plain):
        raise refused(parameter.name, "a reference is an id, Type/id or an address")
    return ReferenceValue(None, None, plain)


def _uri(parameter: Parameter, text: str) -> UriValue:
    return UriValue(unescaped(text))


READERS: Mapping[str, Callable[[Parameter, str], Value]] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "reference": _reference,
    "uri": _uri,
}
