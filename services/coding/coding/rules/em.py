"""Which E/M level the documentation supports, by medical decision making or by time, and why.

Levels by two of three MDM elements or by total time on the date (AMA CPT E/M guidelines, offices 2021, other settings
2023). The levels themselves are rows of em_levels.csv.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from code_tables import read_rows
from kernel.errors import Unreadable

Comparison = Literal["agrees", "under-coded", "over-coded", "none"]

# What each element's words are worth; 1 is straightforward, 4 is high.
ELEMENTS: Mapping[str, Mapping[str, int]] = {
    "problems": {"minimal": 1, "low": 2, "moderate": 3, "high": 4},
    "data": {"minimal": 1, "limited": 2, "moderate": 3, "extensive": 4},
    "risk": {"minimal": 1, "low": 2, "moderate": 3, "high": 4},
}
_VERDICTS: Mapping[str, str] = {
    "agrees": "; the selected code agrees",
    "under-coded": "; the selected code is under-coded",
    "over-coded": "; the selected code is over-coded",
    "none": "",
}
_LEVEL_NAMES = ("not documented", "straightforward", "low", "moderate", "high")


@dataclass(frozen=True, slots=True)
class Documentation:
    """What the note says: element words, "" when not documented; minutes, 0 when not documented."""

    problems: str = ""
    data: str = ""
    risk: str = ""
    total_minutes: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.problems or self.data or self.risk or self.total_minutes)


@dataclass(frozen=True, slots=True)
class EmLevel:
    """`mdm`: least MDM level (0: none asked). `minutes`: least total time, 0 when time never decides."""

    code: str
    setting: str
    new_patient: bool | None
    mdm: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Codes are "" when that way supports none."""

    by_mdm: str
    by_time: str
    supported: str
    comparison: Comparison
    because: str


class EmTable:
    """The levels of every setting, lowest first."""

    def __init__(self, levels: Sequence[EmLevel]) -> None:
        self._levels = tuple(levels)
        self._by_code = {level.code: level for level in levels}

    def is_em(self, code: str) -> bool:
        return code in self._by_code

    def settings(self) -> frozenset[str]:
        return frozenset(level.setting for level in self._levels)

    def family(self, setting: str, new_patient: bool) -> list[EmLevel]:
        return [
            level for level in self._levels if level.setting == setting and level.new_patient in (None, new_patient)
        ]

    def family_of(self, code: str) -> list[EmLevel]:
        chosen = self._by_code[code]
        return [
            level
            for level in self._levels
            if level.setting == chosen.setting and level.new_patient == chosen.new_patient
        ]


def evaluate_level(family: Sequence[EmLevel], note: Documentation, selected: str = "") -> Evaluation:
    """The highest level of the family that the note supports, compared with the selected code.

    Raises Unreadable when an element's word is not one of its own.
    """
    mdm = mdm_level(note)
    by_mdm = _highest(level for level in family if level.mdm <= mdm) if mdm else ""
    by_time = _highest(level for level in family if 0 < level.minutes <= note.total_minutes)
    supported = max((by_mdm, by_time), key=lambda code: _rank(family, code))
    comparison = _compare(family, selected, supported)
    return Evaluation(by_mdm, by_time, supported, comparison, _because(mdm, note.total_minutes, supported, comparison))


def mdm_level(note: Documentation) -> int:
    """Two of three elements must reach the level: the second highest. 0 when fewer than two are documented."""
    words = {"problems": note.problems, "data": note.data, "risk": note.risk}
    return sorted(map(_worth, words, words.values()))[1]


def _worth(element: str, word: str) -> int:
    if not word:
        return 0
    if word not in ELEMENTS[element]:
        raise Unreadable("em_element", element, f"not a word of the MDM element {element}")
    return ELEMENTS[element][word]


def _highest(levels: Iterable[EmLevel]) -> str:
    return max(levels, key=lambda level: (level.mdm, level.minutes), default=EmLevel("", "", None, 0, 0)).code


def _rank(family: Sequence[EmLevel], code: str) -> int:
    return next((rank for rank, level in enumerate(family, 1) if level.code == code), 0)


def _compare(family: Sequence[EmLevel], selected: str, supported: str) -> Comparison:
    if not selected or not supported:
        return "none"
    delta = _rank(family, selected) - _rank(family, supported)
    return "agrees" if delta == 0 else "over-coded" if delta > 0 else "under-coded"


def _because(mdm: int, minutes: int, supported: str, comparison: Comparison) -> str:
    time = f"{minutes} minutes" if minutes else "time not documented"
    answer = f"supports {supported}" if supported else "supports no level"
    return f"MDM {_LEVEL_NAMES[mdm]} by two of three elements, {time}: {answer}{_VERDICTS[comparison]}"


def load_em_levels(path: Path) -> EmTable:
    """Rows code, setting, new_patient (yes, no, or blank where the setting does not ask), mdm 0..4, minutes."""
    levels = []
    for place, row in read_rows(path, ["code", "setting", "new_patient", "mdm", "minutes"]):
        if row["new_patient"] not in _NEW or not row["mdm"].isdigit() or not row["minutes"].isdigit():
            raise Unreadable("table_row", place, "new_patient is yes, no or blank; mdm and minutes are numbers")
        level = EmLevel(row["code"], row["setting"], _NEW[row["new_patient"]], int(row["mdm"]), int(row["minutes"]))
        levels.append(level)
    return EmTable(levels)


_NEW: Mapping[str, bool | None] = {"yes": True, "no": False, "": None}
