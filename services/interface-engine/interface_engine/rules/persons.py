"""Judges whether two Patients are one person: comparisons field by field, weights from rows, thresholds, and bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import log2
from pathlib import Path
from typing import Any

from kernel.rules import RuleError, Table, load_tables

from interface_engine.model_persons import LINK, NOTHING, REVIEW, Traits, Verdict

FILE = "persons.toml"
_ALWAYS, _LIKENESS = "always", "likeness"
_OUTCOME = Table(
    "id",
    {"id": str, "field": str, "outcome": str, "same": float, "other": float, "strong": bool, "bars": str, "group": str},
    frozenset({"strong", "bars", "group"}),
)
_TABLES = {"outcome": _OUTCOME, "threshold": Table("id", {"id": str, "bits": float})}
_OUTCOMES = {
    "ssn": ("same", "different"),
    "number": ("same", "different"),
    "family": ("same", "similar", "different"),
    "given": ("same", "initial", "similar", "different"),
    "birth": ("same", "transposed", "similar", "different"),
    "sex": ("same", "different"),
    "suffix": ("same", "different"),
    "address": ("same", "area", "different"),
    "phone": ("same", "different"),
    "email": ("same", "different"),
    "member": ("same", "different"),
}
_LEAST_FOR_TYPOS = 4
_LEAST_FOR_SHORT = 3
# A wrong year is near the right one; a father's is not.
_YEARS_NEAR = 10
Shared = frozenset[str]
Comparison = Callable[[Traits, Traits, Shared], str]


@dataclass(frozen=True, slots=True)
class Weight:
    """One row: what an outcome of a field's comparison says, in bits."""

    id: str
    bits: float
    strong: bool = False
    bars: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """Weights by field and outcome, and from how many bits on a pair is linked or shown to a person."""

    weights: Mapping[tuple[str, str], Weight]
    link: float
    review: float

    def judge(self, one: Traits, other: Traits, shared: Shared = frozenset()) -> Verdict:
        """`shared` are the kinds of keys that both have and few others: a value that everybody has says nothing."""
        fired = self._fired(one, other, shared)
        score = round(_score(fired), 2)
        names = tuple(weight.id for weight in fired)
        bars = {weight.bars for weight in fired}
        strong = any(weight.strong for weight in fired)
        if _ALWAYS in bars:
            says = REVIEW if strong or score >= self.review else NOTHING
            return Verdict(says, score, names, "contradiction" if strong else "likeness")
        if strong or (score >= self.link and _LIKENESS not in bars):
            return Verdict(LINK, score, names, "number" if strong else "likeness")
        return Verdict(REVIEW if score >= self.review else NOTHING, score, names, "likeness")

    def contradict(self, one: Traits, other: Traits) -> bool:
        """Whether the two cannot be one person unless somebody says so."""
        return any(weight.bars == _ALWAYS for weight in self._fired(one, other, frozenset()))

    def _fired(self, one: Traits, other: Traits, shared: Shared) -> list[Weight]:
        outcomes = ((field, compare(one, other, shared)) for field, compare in _COMPARISONS.items())
        return [self.weights[field, outcome] for field, outcome in outcomes if outcome]


@cache
def load_judge() -> Judge:
    """The rows in force. RuleError with file, row and reason when one is wrong."""
    return read_judge((Path(__file__).parent / FILE).read_text(encoding="utf-8"))


def read_judge(text: str, file: str = FILE) -> Judge:
    """From the text of such a file."""
    tables = load_tables(text, file, _TABLES)
    thresholds = {name: row["bits"] for name, row in tables["threshold"].items()}
    if thresholds.keys() != {LINK, REVIEW} or thresholds[LINK] < thresholds[REVIEW]:
        raise RuleError(file, "-", "there is one threshold for link and a lower one for review")
    weights: dict[tuple[str, str], Weight] = {}
    for row in tables["outcome"].values():
        if row["outcome"] not in _OUTCOMES.get(row["field"], ()) or (row["field"], row["outcome"]) in weights:
            raise RuleError(file, row["id"], "no such outcome of a comparison, or it has a row already")
        weights[row["field"], row["outcome"]] = _weight(row, file)
    _check_sums(tables["outcome"], weights, file)
    return Judge(weights, thresholds[LINK], thresholds[REVIEW])


def _weight(row: Mapping[str, Any], file: str) -> Weight:
    if not (0 < row["same"] <= 1 and 0 < row["other"] <= 1):
        raise RuleError(file, row["id"], "same and other are probabilities above 0")
    if row.get("bars", "") not in ("", _ALWAYS, _LIKENESS):
        raise RuleError(file, row["id"], f"bars is {_ALWAYS} or {_LIKENESS}")
    bits = log2(row["same"] / row["other"])
    return Weight(row["id"], bits, row.get("strong", False), row.get("bars", ""), row.get("group", ""))


def _check_sums(rows: Mapping[str, Mapping[str, Any]], weights: Mapping[tuple[str, str], Weight], file: str) -> None:
    for field, outcomes in _OUTCOMES.items():
        if missing := [one for one in outcomes if (field, one) not in weights]:
            raise RuleError(file, "-", f"no row for {field} {missing[0]}")
        for column in ("same", "other"):
            if abs(sum(row[column] for row in rows.values() if row["field"] == field) - 1) > 0.001:
                raise RuleError(file, "-", f"the column {column} of {field} does not add up to 1")


def _score(fired: list[Weight]) -> float:
    """Of a group the greatest counts when it speaks for, else the least."""
    groups: dict[str, list[float]] = {}
    for weight in fired:
        groups.setdefault(weight.group or weight.id, []).append(weight.bits)
    return sum(max(bits) if max(bits) > 0 else min(bits) for bits in groups.values())


# Comparisons: an outcome of _OUTCOMES, or "" where a side is not known.


def _equal(one: str, other: str) -> str:
    return "" if not (one and other) else "same" if one == other else "different"


def _by_key(kind: str, values: Callable[[Traits], object]) -> Comparison:
    """Of values of which one may have several: whether any is shared."""

    def compare(one: Traits, other: Traits, shared: Shared) -> str:
        if kind in shared:
            return "same"
        if not (values(one) and values(other)) or set(values(one)) & set(values(other)):  # type: ignore[call-overload]
            return ""
        return "different"

    return compare


def _numbers(one: Traits, other: Traits, shared: Shared) -> str:
    """Numbers of one register that both have."""
    if "number" in shared:
        return "same"
    both = {system for system, _ in one.numbers} & {system for system, _ in other.numbers}
    return "different" if both and not set(one.numbers) & set(other.numbers) else ""


def _ssn(one: Traits, other: Traits, shared: Shared) -> str:
    """A number that many have is nobody's."""
    outcome = _equal(one.ssn, other.ssn)
    return "" if outcome == "same" and "ssn" not in shared else outcome


def _family(one: Traits, other: Traits, shared: Shared) -> str:
    if not (one.families and other.families):
        return ""
    pairs = [(mine, theirs) for mine in one.families for theirs in other.families]
    if any(mine.replace(" ", "") == theirs.replace(" ", "") for mine, theirs in pairs):
        return "same"
    return "similar" if any(_like_family(mine, theirs) for mine, theirs in pairs) else "different"


def _like_family(one: str, other: str) -> bool:
    mine, theirs = set(one.split()), set(other.split())
    return mine < theirs or theirs < mine or _one_typo(one, other)


def _given(one: Traits, other: Traits, shared: Shared) -> str:
    mine, theirs = one.given, other.given
    if not (mine and theirs):
        return ""
    if mine.replace(" ", "") == theirs.replace(" ", ""):
        return "same"
    first, second = mine.split(), theirs.split()
    if first[0] == second[0] or (min(len(mine), len(theirs)) == 1 and mine[0] == theirs[0]):
        return "initial"
    short, long = sorted((mine, theirs), key=len)
    if _one_typo(mine, theirs) or (len(short) >= _LEAST_FOR_SHORT and long.startswith(short)):
        return "similar"
    return "similar" if mine in other.middles or theirs in one.middles else "different"


def _birth(one: Traits, other: Traits, shared: Shared) -> str:
    mine, theirs = one.birth, other.birth
    if not (mine and theirs) or mine == theirs:
        return _equal(mine, theirs)
    years = abs(int(mine[:4]) - int(theirs[:4]))
    if sorted(mine) == sorted(theirs) and years <= _YEARS_NEAR:
        return "transposed"
    differing = [part for part in (slice(0, 4), slice(4, 6), slice(6, 8)) if mine[part] != theirs[part]]
    return "similar" if len(differing) == 1 and years <= _YEARS_NEAR else "different"


def _address(one: Traits, other: Traits, shared: Shared) -> str:
    area = _equal(one.postal, other.postal)
    if area != "same":
        return area
    return "same" if one.street and one.street == other.street else "area"


def _one_typo(one: str, other: str) -> bool:
    """One letter more, less, or other, or two neighbours changed about, in names that are not short."""
    if min(len(one), len(other)) < _LEAST_FOR_TYPOS or abs(len(one) - len(other)) > 1:
        return False
    place = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    mine, theirs = one[place:], other[place:]
    if mine[1:] == theirs[1:] or mine[1:] == theirs or mine == theirs[1:]:
        return True
    return mine[:2] == theirs[:2][::-1] and mine[2:] == theirs[2:]


_COMPARISONS: Mapping[str, Comparison] = {
    "ssn": _ssn,
    "number": _numbers,
    "family": _family,
    "given": _given,
    "birth": _birth,
    "sex": lambda one, other, shared: _equal(one.sex, other.sex),
    "suffix": lambda one, other, shared: _equal(one.suffix, other.suffix),
    "address": _address,
    "phone": _by_key("phone", lambda traits: traits.phones),
    "email": _by_key("email", lambda traits: traits.emails),
    "member": _by_key("member", lambda traits: traits.members),
}
