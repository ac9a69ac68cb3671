"""Which modifiers exist for us, where they may stand, and which of them part two codes of an NCCI edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from code_tables import read_rows
from kernel.errors import Unreadable

_KINDS = frozenset({"ncci", "anatomic", "laterality", "component", "repeat", "telehealth", "other"})
_PLACES = frozenset({"em", "procedure", "any"})

# Pairs that contradict each other on one line.
CONFLICTS: tuple[frozenset[str], ...] = tuple(
    map(frozenset, (("LT", "RT"), ("50", "LT"), ("50", "RT"), ("26", "TC"), ("76", "77"), ("JW", "JZ"), ("93", "95")))
)


@dataclass(frozen=True, slots=True)
class ModifierKind:
    kind: str
    on: str


@dataclass(frozen=True, slots=True)
class ModifierTable:
    kinds: Mapping[str, ModifierKind]

    def known(self, modifier: str) -> bool:
        return modifier in self.kinds

    def fits(self, modifier: str, is_em: bool) -> bool:
        """Whether the modifier may stand on such a line; unknown ones are judged by `known`."""
        kind = self.kinds.get(modifier)
        return kind is None or kind.on == "any" or (kind.on == "em") == is_em

    def parts(self, one: Sequence[str], other: Sequence[str]) -> bool:
        """Whether the modifiers of two lines say that an NCCI pair with indicator 1 was distinct.

        An anatomic modifier does so only when it is not on both lines (NCCI Policy Manual, chapter I, section E).
        """
        if any(self._is(modifier, "ncci") for modifier in (*one, *other)):
            return True
        sites = [{modifier for modifier in line if self._is(modifier, "anatomic")} for line in (one, other)]
        return bool(sites[0] or sites[1]) and sites[0].isdisjoint(sites[1])

    def _is(self, modifier: str, kind: str) -> bool:
        found = self.kinds.get(modifier)
        return found is not None and found.kind == kind


def load_modifier_kinds(path: Path) -> ModifierTable:
    """Rows modifier, kind, on (em, procedure or any)."""
    kinds = {}
    for place, row in read_rows(path, ["modifier", "kind", "on"]):
        if row["kind"] not in _KINDS or row["on"] not in _PLACES:
            raise Unreadable("table_row", place, "unknown kind or place of a modifier")
        kinds[row["modifier"]] = ModifierKind(row["kind"], row["on"])
    return ModifierTable(kinds)
