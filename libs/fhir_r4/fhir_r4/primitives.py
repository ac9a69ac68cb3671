"""The formats of FHIR's primitive types. Source: https://hl7.org/fhir/R4/datatypes.html#primitive"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from decimal import Decimal
from typing import Any

Check = Callable[[object], bool]
# A check that may say No to what is good, and that a value of the wrong JSON kind may end with TypeError.
Quick = Callable[[Any], object]

_INT_MAX = 2**31 - 1
_STRING_MAX = 1024 * 1024

_YEAR = r"(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_DATE = rf"{_YEAR}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01]))?)?"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_FULL_DATE = rf"{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_UUID = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_PATTERNS = {
    "uri": r"\S+",
    "url": r"\S+",
    "canonical": r"\S+",
    "code": r"\S+(?:\s\S+)*",
    "id": r"[A-Za-z0-9.\-]{1,64}",
    "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
    "uuid": _UUID,
    "time": _CLOCK,
}
_DATED = {
    "date": _DATE,
    "dateTime": rf"{_DATE}|{_FULL_DATE}T{_CLOCK}{_ZONE}",
    "instant": rf"{_FULL_DATE}T{_CLOCK}{_ZONE}",
}
_BASE64 = re.compile(r"[0-9A-Za-z+/]+={0,2}").fullmatch
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# Three patterns, since each has a beginning that can be searched for and the three together have none.
_ACTIVE_TAG = re.compile(
    r"<\s*(?:/\s*)?(?:script|iframe|object|embed|form|input|base|link|head|body|frame|applet)\b", re.IGNORECASE
)
_ACTIVE_ATTRIBUTE = re.compile(r"\son[a-z]+\s*=", re.IGNORECASE)
_ACTIVE_LINK = re.compile(r"javascript:", re.IGNORECASE)


def _pattern(text: str) -> Check:
    match = re.compile(text).fullmatch
    return lambda value: type(value) is str and match(value) is not None


def _dated(text: str) -> Check:
    match = re.compile(text).fullmatch
    return lambda value: type(value) is str and match(value) is not None and _day_exists(value)


def _day_exists(text: str) -> bool:
    if len(text) < 10:
        return True
    return int(text[8:10]) <= 28 or int(text[8:10]) <= monthrange(int(text[:4]), int(text[5:7]))[1]


def _integer(least: int) -> Check:
    return lambda value: type(value) is int and least <= value <= _INT_MAX


def _decimal(value: object) -> bool:
    return type(value) is int or (type(value) is Decimal and value.is_finite())


def _string(value: object) -> bool:
    return type(value) is str and 0 < len(value) <= _STRING_MAX and not value.isspace() and not _CONTROL.search(value)


def _base64(value: object) -> bool:
    """Fours of characters, blanks anywhere between them; attachments are large, hence one run of one class."""
    bare = "".join(value.split()) if type(value) is str else ""
    return len(bare) % 4 == 0 and _BASE64(bare) is not None


def _xhtml(value: object) -> bool:
    if type(value) is not str:
        return False
    text = value.strip()
    if not text.startswith("<div") or not text.endswith(">"):
        return False
    return not (_ACTIVE_TAG.search(text) or _ACTIVE_ATTRIBUTE.search(text) or _ACTIVE_LINK.search(text))


FORMATS: dict[str, Check] = {
    **{name: _pattern(text) for name, text in _PATTERNS.items()},
    **{name: _dated(text) for name, text in _DATED.items()},
    "base64Binary": _base64,
    "boolean": lambda value: type(value) is bool,
    "integer": _integer(-_INT_MAX - 1),
    "unsignedInt": _integer(0),
    "positiveInt": _integer(1),
    "decimal": _decimal,
    "string": _string,
    "markdown": _string,
    "xhtml": _xhtml,
}

_QUICK_DAY = (
    r"[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_QUICK_MOMENT = rf"{_QUICK_DAY}T{_CLOCK}{_ZONE}"
# As one C call each: most texts are short, begin with no space, and are dated by a day that every year has.
_QUICK_STRING = re.compile(r"[^\s\x00-\x1f][^\x00-\x08\x0b\x0c\x0e-\x1f]{0,9999}").fullmatch
QUICK: dict[str, Quick] = {
    **{name: re.compile(text).fullmatch for name, text in _PATTERNS.items()},
    "code": re.compile(r"[^\s]+").fullmatch,
    "date": re.compile(_QUICK_DAY).fullmatch,
    "dateTime": re.compile(rf"{_QUICK_DAY}(?:T{_CLOCK}{_ZONE})?").fullmatch,
    "instant": re.compile(_QUICK_MOMENT).fullmatch,
    "string": _QUICK_STRING,
    "markdown": _QUICK_STRING,
}

_JSON_KINDS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "unsignedInt": (int,),
    "positiveInt": (int,),
    "decimal": (int, Decimal),
}


def json_kind_fits(name: str, value: object) -> bool:
    """Whether a value has at least the JSON kind of the primitive type, so that the fault is one of format."""
    return type(value) in _JSON_KINDS.get(name, (str,))
