"""Nested plain lists as the other form of a message: what `write` takes and `tree` gives.

A segment is a list whose index is the HL7 field number, with its id at 0. A field is a text, a list of components, or
`repeat(...)` of those; a component is a text or a list of subcomponents. None and "" are absent, NULL says "delete".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from hl7v2.delimiters import Delimiters
from hl7v2.escapes import NULL_TEXT, unescape


class Null(Enum):
    """The HL7 null, two quotes: the receiver is to delete its value. Absent means "no change"."""

    NULL = NULL_TEXT


NULL = Null.NULL

Leaf: TypeAlias = str | Null | None
Component: TypeAlias = Leaf | Sequence[Leaf]
Once: TypeAlias = Leaf | Sequence[Component]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A field that repeats."""

    values: tuple[Once, ...]


Value: TypeAlias = Once | Repeated


def repeat(*values: Once) -> Repeated:
    """A field that repeats: `repeat("a", ["b", "c"])` writes `a~b^c`."""
    return Repeated(values)


def tree_of(text: str, delimiters: Delimiters, charset: str) -> Value:
    """The simplest form that writes `text`, but for empty ends."""
    if delimiters.repetition in text:
        return Repeated(tuple(_once(part, delimiters, charset) for part in text.split(delimiters.repetition)))
    return _once(text, delimiters, charset)


def _once(text: str, delimiters: Delimiters, charset: str) -> Once:
    if delimiters.component not in text and delimiters.subcomponent not in text:
        return _leaf(text, delimiters, charset)
    return [_component(part, delimiters, charset) for part in text.split(delimiters.component)]


def _component(text: str, delimiters: Delimiters, charset: str) -> Component:
    if delimiters.subcomponent not in text:
        return _leaf(text, delimiters, charset)
    return [_leaf(part, delimiters, charset) for part in text.split(delimiters.subcomponent)]


def _leaf(text: str, delimiters: Delimiters, charset: str) -> Leaf:
    return NULL if text == NULL_TEXT else unescape(text, delimiters, charset)
