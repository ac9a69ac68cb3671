"""Which rules apply to a set of facts on a day."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from kernel.rules.row import EVERY_PAYER, Condition, Hit, Rule, RuleError, elements_of, kind_of

_NOTHING: tuple[object, ...] = (None, "")

_SOME_ELEMENT: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "in": lambda fact, values: fact in values,
    "prefix": lambda fact, value: fact.startswith(tuple(value) if isinstance(value, list) else value),
    "between": lambda fact, bounds: bounds[0] <= fact <= bounds[1],
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_NO_ELEMENT = {"ne": "eq", "not_in": "in"}
_PRESENCE = ("present", "absent")

OPERATORS: frozenset[str] = frozenset([*_SOME_ELEMENT, *_NO_ELEMENT, *_PRESENCE])


def evaluate(rules: Iterable[Rule], facts: Mapping[str, object], on: date) -> list[Hit]:
    """The hits in the rules' own order. `facts["payer"]` selects rows of that payer besides those for every payer.

    A fact that is a list satisfies an operator when one element does; `ne` and `not_in` when none equals.
    A missing, empty or None fact satisfies `absent` and nothing else, so no rule fires on what is not known.
    Comparing unlike types raises RuleError: a rule that could never fire must not pass in silence.
    """
    payer = facts.get("payer")
    return [
        Hit(rule.id, rule.outcome, rule.because, rule.source)
        for rule in rules
        if rule.payer in (EVERY_PAYER, payer) and rule.effective.contains(on) and _applies(rule, facts)
    ]


def _applies(rule: Rule, facts: Mapping[str, object]) -> bool:
    return all(_holds(rule, condition, facts.get(condition.field)) for condition in rule.applies)


def _holds(rule: Rule, condition: Condition, fact: object) -> bool:
    elements = [element for element in elements_of(fact) if element not in _NOTHING]
    if condition.op in _PRESENCE:
        return bool(elements) is (condition.op == "present")
    if not elements:
        return False
    _refuse_unlike(rule, condition, elements)
    positive = _NO_ELEMENT.get(condition.op, condition.op)
    found = any(_SOME_ELEMENT[positive](element, condition.value) for element in elements)
    return found is (positive == condition.op)


def _refuse_unlike(rule: Rule, condition: Condition, elements: Iterable[object]) -> None:
    if any(kind_of(element) != condition.kind for element in elements):
        reason = f"field {condition.field} is not comparable with the value of {condition.op}"
        raise RuleError(rule.file, rule.id, reason, rule.line)
