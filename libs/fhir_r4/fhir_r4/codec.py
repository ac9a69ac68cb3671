"""FHIR JSON text to plain dicts and back without losing a digit: what no stock decoder does for money."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, NoReturn

import msgspec
from kernel.errors import Unreadable

Resource = dict[str, Any]

_MAX_BYTES = 16 * 1024 * 1024
_MAX_DEPTH = 64
_MAX_NUMBER_LENGTH = 64
_MAX_EXPONENT = 100
_LARGEST = 2**63
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _BadNumber(ValueError):
    """A number that JSON allows but that no FHIR amount can be."""


class _DuplicateKey(ValueError):
    """A key that occurs twice in one object, so that two readers could see two values."""


def read(data: bytes, *, max_bytes: int = _MAX_BYTES, max_depth: int = _MAX_DEPTH) -> Resource:
    """One resource from UTF-8 JSON text; decimals become Decimal, whole numbers int, nothing float.

    Raises Unreadable: json_size, json_text (not UTF-8), json_syntax, json_duplicate_key, json_depth, json_number,
    json_not_resource. `position` is a character offset where the parser knows one.
    """
    if len(data) > max_bytes:
        raise Unreadable("json_size", "", f"more than {max_bytes} bytes")
    resource = _read_plain(data, max_depth)
    if resource is None:
        resource = _parse(_text(data))
        _refuse_depth(resource, max_depth)
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise Unreadable("json_not_resource", "", "not a JSON object with a resourceType")
    return resource


def read_optional(data: bytes) -> Resource:
    """As `read`; an empty resource where a message carries none."""
    return read(data) if data else {}


def write(resource: Resource) -> bytes:
    """Compact JSON, keys in their order, decimals digit by digit as they are; ValueError for a float or a NaN."""
    waiting: list[Any] = [resource]
    while waiting:
        node = waiting.pop()
        for value in node.values() if isinstance(node, dict) else node:
            if type(value) is str:
                continue
            if isinstance(value, (dict, list)):
                waiting.append(value)
            elif isinstance(value, float) or (isinstance(value, Decimal) and not value.is_finite()):
                raise ValueError("a float or a non-finite decimal cannot be written exactly")
    return _ENCODER.encode(resource)


def _read_plain(data: bytes, max_depth: int) -> object:
    """What nearly every text is, at a third of the time; None for a text that only the exact reader can judge."""
    if b"\\u003a" in data or b"\\u003A" in data:
        return None
    try:
        value = _PLAIN_DECODER.decode(data)
    except (ValueError, RecursionError):
        return None
    return value if type(value) is dict and _is_whole(value, data.count(b":"), max_depth) else None


def _is_whole(value: object, colons: int, max_depth: int) -> bool:
    """Whether no key was lost to another of the same name: each colon of the text parts a name, or stands in a value.

    Depth and the size of whole numbers are looked at in the same walk. A colon in a name makes this say No, and so
    would an escaped one in a value, were such texts not left to the exact reader.
    """
    level: list[Any] = [value]
    for _ in range(max_depth):
        deeper: list[Any] = []
        for node in level:
            if type(node) is dict:
                colons -= len(node)
                node = node.values()
            colons -= _gather(node, deeper)
        if not deeper:
            return colons == 0
        level = deeper
    return False


def _gather(values: Iterable[Any], deeper: list[Any]) -> int:
    """The colons in the texts among the values, beyond all for a huge number; containers go to the deeper ones."""
    colons = 0
    for value in values:
        kind = type(value)
        if kind is str:
            colons += value.count(":")
        elif kind is dict or kind is list:
            deeper.append(value)
        elif kind is int and not -_LARGEST <= value <= _LARGEST:
            colons += _LARGEST
    return colons


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("json_text", "", "not UTF-8", error.start) from None
    return text


def _parse(text: str) -> object:
    try:
        value = _DECODER.decode(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except _DuplicateKey:
        raise Unreadable("json_duplicate_key", "", "a key occurs twice in one object") from None
    except _BadNumber:
        raise Unreadable("json_number", "", "a number is not finite, too long or too large") from None
    except json.JSONDecodeError as error:
        raise Unreadable("json_syntax", "", error.msg, error.pos) from None
    except RecursionError:
        raise Unreadable("json_depth", "", "nested too deeply") from None
    except UnicodeEncodeError:
        raise Unreadable("json_text", "", "half of a surrogate pair") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> Resource:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _DuplicateKey
    return made


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_NUMBER_LENGTH:
        raise _BadNumber
    value = Decimal(text)
    if abs(value.adjusted()) > _MAX_EXPONENT:
        raise _BadNumber
    return value


def _whole(text: str) -> int:
    if len(text) > _MAX_NUMBER_LENGTH:
        raise _BadNumber
    return int(text)


def _constant(_: str) -> NoReturn:
    raise _BadNumber


_PLAIN_DECODER = msgspec.json.Decoder(float_hook=_decimal)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_whole, parse_constant=_constant, strict=True
)


def _refuse_depth(value: object, max_depth: int) -> None:
    level = [value]
    for _ in range(max_depth):
        level = [child for node in level for child in _children(node) if isinstance(child, (dict, list))]
        if not level:
            return
    raise Unreadable("json_depth", "", f"nested deeper than {max_depth}")


def _children(node: object) -> Iterator[Any]:
    if isinstance(node, dict):
        return iter(node.values())
    return iter(node) if isinstance(node, list) else iter(())
