"""The case file beside every rule file: what is given, on which day, and exactly which rules must answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernel.rules.evaluation import evaluate
from kernel.rules.loading import read_rows
from kernel.rules.row import Rule, RuleError

_KEYS = {"name": str, "on": date, "given": dict, "expected": list}


@dataclass(frozen=True, slots=True)
class Case:
    """Facts on a day and the ids of the rules that hit, in file order; an empty list proves that none does."""

    name: str
    on: date
    given: Mapping[str, object]
    expected: tuple[str, ...]


def load_cases(text: str, file: str) -> tuple[Case, ...]:
    """Cases of the `[[case]]` tables. Raises RuleError with file, row, line and reason."""
    return tuple(_case(row, file, name, line) for row, name, line in read_rows(text, file, "case"))


def check_cases(rules: Sequence[Rule], cases: Iterable[Case]) -> list[str]:
    """Problems as sentences, none when all is well: cases that answer otherwise, and rules that no case hits."""
    problems: list[str] = []
    proven: set[str] = set()
    for case in cases:
        hits = tuple(hit.rule_id for hit in evaluate(rules, case.given, case.on))
        if hits == case.expected:
            proven.update(hits)
        else:
            problems.append(f"case {case.name}: expected {list(case.expected)}, got {list(hits)}")
    unproven = dict.fromkeys(rule.id for rule in rules if rule.id not in proven)
    return problems + [f"rule {rule_id}: no case hits it" for rule_id in unproven]


def _case(row: Mapping[str, Any], file: str, name: str, line: int | None) -> Case:
    if row.keys() != _KEYS.keys():
        raise RuleError(file, name, f"a case has {', '.join(_KEYS)}", line)
    for key, kind in _KEYS.items():
        if not isinstance(row[key], kind):
            raise RuleError(file, name, f"{key} has the wrong type", line)
    if not all(isinstance(rule_id, str) for rule_id in row["expected"]):
        raise RuleError(file, name, "expected holds rule ids", line)
    return Case(row["name"], row["on"], row["given"], tuple(row["expected"]))
