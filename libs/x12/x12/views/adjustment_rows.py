"""CAS segments both ways: up to six reasons of one group in a segment."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from x12.tree import Loop
from x12.views.compose import Row, ViewError, money
from x12.views.extract import cents
from x12.views.parties import Adjustment


def adjustment_rows(adjustments: Sequence[Adjustment]) -> list[Row]:
    """Neighbours of one group share a segment; the order is kept."""
    rows: list[Row] = []
    for group, members in groupby(adjustments, key=lambda item: item.group):
        listed = list(members)
        for at in range(0, len(listed), 6):
            values = [(item.reason, money(item.amount_cents), item.quantity) for item in listed[at : at + 6]]
            rows.append(("CAS", group, *(text for triple in values for text in triple)))
    return rows


def read_adjustments(loop: Loop) -> tuple[Adjustment, ...]:
    """Every reason of every CAS directly in a loop."""
    found: list[Adjustment] = []
    for segment in loop.all("CAS"):
        for at in range(2, len(segment.elements) + 1, 3):
            if segment.get(at) or segment.get(at + 1):
                if not segment.get(at + 1):
                    raise ViewError(f"CAS{at + 1:02d}", "a reason without an amount")
                amount_cents = cents(segment.get(at + 1), f"CAS{at + 1:02d}")
                found.append(Adjustment(segment.get(1), segment.get(at), amount_cents, segment.get(at + 2)))
    return tuple(found)
