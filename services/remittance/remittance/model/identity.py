"""Ids that are derived and not drawn: the same parts name the same thing, so that a replay changes nothing."""

from __future__ import annotations

from uuid import UUID, uuid5

_SPACE = UUID("6a1c62a4-5f0e-5c53-9c64-2f2f8b1d4a77")


def derived_id(*parts: object) -> str:
    """A UUID version 5 of the parts in their order."""
    return str(uuid5(_SPACE, "|".join(map(str, parts))))
