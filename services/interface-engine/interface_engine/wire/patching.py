"""Patches: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) on a resource, decimals kept digit by digit."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from jsonpatch import JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointer, JsonPointerException
from kernel.errors import Refused, Unreadable

from interface_engine.model import Resource

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
PATCH_FORMATS = (JSON_PATCH, MERGE_PATCH)
_MOST_OPERATIONS = 1_000
# A copy may copy what was copied: without a bound sixty operations would fill any memory.
_MOST_COPIED = 100_000
_DEEPEST = 64
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch that has been read: operations for JSON Patch, an object for a merge."""

    format: str
    change: Any


def read_patch(body: bytes, content_type: str) -> Patch:
    """A patch from its text; plain JSON is a merge when it is an object and a JSON Patch when it is an array.

    Unreadable: json_syntax, patch_shape, patch_size. FHIRPath Patch is not served.
    """
    try:
        change = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        raise Unreadable("json_syntax", "", "the patch is not JSON") from None
    _refuse_depth(change)
    as_operations = content_type == JSON_PATCH or (content_type != MERGE_PATCH and isinstance(change, list))
    if as_operations:
        return Patch(JSON_PATCH, _operations(change))
    if not isinstance(change, dict):
        raise Unreadable("patch_shape", "", "a merge patch is a JSON object")
    if change.get("resourceType") == "Parameters":
        raise Unreadable("patch_shape", "", "FHIRPath Patch is not served here; JSON Patch is")
    return Patch(MERGE_PATCH, change)


def patch_of(binary: Resource | None, path: str) -> Patch:
    """The patch in a Binary, as a transaction carries it (https://hl7.org/fhir/R4/http.html#jsonpatch)."""
    held = binary or {}
    kind = held.get("contentType")
    if held.get("resourceType") != "Binary" or kind not in PATCH_FORMATS or not isinstance(held.get("data"), str):
        raise Unreadable("patch_shape", f"{path}.resource", f"a Binary with {' or '.join(PATCH_FORMATS)} is needed")
    try:
        return read_patch(b64decode(held["data"], validate=True), kind)
    except Base64Error:
        raise Unreadable("patch_shape", f"{path}.resource.data", "not base64") from None


def apply_patch(patch: Patch, resource: Resource) -> Resource:
    """The patched resource; the given one stays as it is.

    Refused("patch-test") when a test of the patch fails, Unreadable("patch_operation") with the operation's number as
    position when one cannot be carried out.
    """
    if patch.format == MERGE_PATCH:
        merged = _merged(resource, patch.change)
        assert isinstance(merged, dict)
        return merged
    made: Any = deepcopy(resource)
    copied = 0
    for number, operation in enumerate(patch.change):
        copied += _size_of_copy(made, operation)
        if copied > _MOST_COPIED:
            raise Unreadable("patch_size", "", f"operation {number} of the patch copies too much", number)
        made = _applied(made, operation, number)
    if not isinstance(made, dict):
        raise Unreadable("patch_operation", "", "what the patch makes is not a resource")
    return made


def _refuse_depth(change: Any) -> None:
    level = [change]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise Unreadable("json_depth", "", f"nested deeper than {_DEEPEST}")


def _children(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _operations(change: Any) -> list[Any]:
    if not isinstance(change, list):
        raise Unreadable("patch_shape", "", "a JSON Patch is an array of operations")
    if len(change) > _MOST_OPERATIONS:
        raise Unreadable("patch_size", "", f"more than {_MOST_OPERATIONS} operations")
    for number, operation in enumerate(change):
        try:
            JsonPatch([operation])
        except (JsonPatchException, JsonPointerException):
            raise Unreadable("patch_shape", "", f"operation {number} is none of RFC 6902", number) from None
    return change


def _applied(document: Any, operation: Any, number: int) -> Any:
    """The library's texts repeat values of the resource, so they end here."""
    try:
        return JsonPatch([operation]).apply(document, in_place=True)
    except JsonPatchTestFailed:
        raise Refused("patch-test", f"operation {number} of the patch tests for something else") from None
    except (JsonPatchException, JsonPointerException):
        raise Unreadable("patch_operation", "", f"operation {number} of the patch leads nowhere", number) from None


def _size_of_copy(document: Any, operation: Any) -> int:
    if operation["op"] != "copy":
        return 0
    return _nodes(JsonPointer(operation["from"]).resolve(document, None))


def _nodes(value: Any) -> int:
    count, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        count += 1
        waiting.extend(_children(node))
    return count


def _merged(target: Any, change: Any) -> Any:
    if not isinstance(change, dict):
        return change
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = _merged(made.get(name), value)
    return made
