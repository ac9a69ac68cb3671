"""Segments and interchanges back to X12 text: the inverse of `read`."""

from __future__ import annotations

from collections.abc import Iterable

from x12.delimiters import Delimiters
from x12.tree import Interchange, Segment


def write(interchange: Interchange) -> str:
    """The text of an interchange, with the delimiters and line breaks that it came with."""
    return write_segments(interchange.segments(), interchange.delimiters)


def write_segments(segments: Iterable[Segment], delimiters: Delimiters) -> str:
    """The text of some segments."""
    end = delimiters.segment + delimiters.suffix
    mark = delimiters.element
    return "".join(mark.join((segment.id, *segment.elements)) + end for segment in segments)
