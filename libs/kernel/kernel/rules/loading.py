"""Reading rule rows from TOML text and refusing the whole text when one row is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from kernel.errors import Unreadable
from kernel.period import Period
from kernel.rules.evaluation import OPERATORS
from kernel.rules.row import Condition, Rule, RuleError, kind_of

_TEXT_KEYS = ("id", "payer", "because", "source")
_REQUIRED = frozenset([*_TEXT_KEYS, "applies", "effective_from", "outcome"])
_KNOWN = _REQUIRED | {"effective_to"}
_WITHOUT_VALUE = ("present", "absent")
_SETS = ("in", "not_in")
_LISTS = ("in", "not_in", "between")
_ORDERED_KINDS = ("number", "day", "text")


def load_rules(
    text: str, file: str, fields: Collection[str] | None = None, outcomes: Collection[str] | None = None
) -> tuple[Rule, ...]:
    """Rules of the `[[rule]]` tables in order. `fields` and `outcomes`, when given, close the sets of names.

    Raises RuleError with file, row id, line and reason for the first bad row; nothing is returned then.
    """
    rows = read_rows(text, file, "rule")
    loaded = tuple(_rule(row, file, name, line, fields, outcomes) for row, name, line in rows)
    _refuse_overlap(loaded)
    return loaded


def read_rows(text: str, file: str, table: str) -> list[tuple[Mapping[str, Any], str, int | None]]:
    """The rows of one array of tables with a name and a line each; refuses text that is not TOML or has other keys."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(file, "-", f"not TOML: {error}") from error
    rows = document.get(table, [])
    strays = sorted(document.keys() - {table})
    if strays or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RuleError(file, "-", f"the file holds [[{table}]] tables and nothing else")
    headers = [number for number, line in enumerate(text.splitlines(), 1) if _is_header(line, table)]
    lines: list[int | None] = [*headers] if len(headers) == len(rows) else [None] * len(rows)
    return [(row, _row_name(row, index), line) for index, (row, line) in enumerate(zip(rows, lines, strict=True), 1)]


def _is_header(line: str, table: str) -> bool:
    return re.match(rf"\s*\[\[\s*{table}\s*\]\]", line) is not None


def _row_name(row: Mapping[str, Any], number: int) -> str:
    name = row.get("id", row.get("name"))
    return name if isinstance(name, str) and name else f"number {number}"


def _rule(
    row: Mapping[str, Any],
    file: str,
    name: str,
    line: int | None,
    fields: Collection[str] | None,
    outcomes: Collection[str] | None,
) -> Rule:
    problem = _row_problem(row) or _outcome_problem(row["outcome"], outcomes) or _applies_problem(row, fields)
    if problem:
        raise RuleError(file, name, problem, line)
    try:
        effective = Period(row["effective_from"], row.get("effective_to"))
    except Unreadable as error:
        raise RuleError(file, name, error.reason, line) from error
    applies = tuple(map(_condition, row["applies"]))
    texts = {key: row[key] for key in _TEXT_KEYS}
    return Rule(**texts, applies=applies, effective=effective, outcome=row["outcome"], file=file, line=line)


def _condition(item: Mapping[str, Any]) -> Condition:
    value = item.get("value")
    return Condition(item["field"], item["op"], frozenset(value or ()) if item["op"] in _SETS else value)


def _row_problem(row: Mapping[str, Any]) -> str | None:
    if missing := sorted(_REQUIRED - row.keys()):
        return f"missing {', '.join(missing)}"
    if unknown := sorted(row.keys() - _KNOWN):
        return f"unknown {', '.join(unknown)}"
    for key in _TEXT_KEYS:
        if not isinstance(row[key], str) or not row[key].strip():
            return f"{key} must be text"
    for key in ("effective_from", "effective_to"):
        if key in row and type(row[key]) is not date:
            return f"{key} must be a day"
    return None


def _outcome_problem(outcome: object, outcomes: Collection[str] | None) -> str | None:
    if not isinstance(outcome, dict) or not outcome:
        return "outcome must be a table with at least one key"
    if outcomes is not None and (unknown := sorted(outcome.keys() - set(outcomes))):
        return f"unknown outcome {', '.join(unknown)}"
    return "a float in outcome" if _holds_float(outcome) else None


def _holds_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_float, value.values()))
    if isinstance(value, list):
        return any(map(_holds_float, value))
    return isinstance(value, float)


def _applies_problem(row: Mapping[str, Any], fields: Collection[str] | None) -> str | None:
    applies = row["applies"]
    if not isinstance(applies, list):
        return "applies must be a list"
    problems = (_condition_problem(item, fields) for item in applies)
    return next((problem for problem in problems if problem), None)


def _condition_problem(item: object, fields: Collection[str] | None) -> str | None:
    if not isinstance(item, dict) or not isinstance(item.get("field"), str) or not {"op"} <= item.keys():
        return "a condition has field, op and value"
    field, op = item["field"], item["op"]
    if unknown := sorted(item.keys() - {"field", "op", "value"}):
        return f"unknown {', '.join(unknown)} in the condition on {field}"
    if fields is not None and field not in fields:
        return f"unknown field {field}"
    if op not in OPERATORS:
        return f"unknown operator {op}"
    return _value_problem(op, item.get("value"), "value" in item)


def _value_problem(op: str, value: object, given: bool) -> str | None:
    if op in _WITHOUT_VALUE:
        return f"{op} takes no value" if given else None
    if op in _LISTS or (op == "prefix" and isinstance(value, list)):
        return _list_problem(op, value)
    if op == "prefix" and not (isinstance(value, str) and value):
        return "prefix takes text"
    return _kind_problem(op, [value])


def _list_problem(op: str, value: object) -> str | None:
    if not isinstance(value, list) or not value:
        return f"{op} takes a list"
    if op == "prefix" and not all(isinstance(item, str) and item for item in value):
        return "prefix takes text"
    if op == "between" and len(value) != 2:
        return "between takes two bounds"
    problem = _kind_problem(op, value)
    if problem is None and op == "between" and value[0] > value[1]:
        return "the bounds of between are the wrong way round"
    return problem


def _kind_problem(op: str, values: list[Any]) -> str | None:
    kinds = {kind_of(value) for value in values}
    if len(kinds) != 1 or None in kinds:
        return f"{op} takes text, whole numbers, days or truth values, all of one kind"
    if op in ("between", "lt", "le", "gt", "ge") and not kinds <= set(_ORDERED_KINDS):
        return f"{op} needs an order"
    return None


def _refuse_overlap(rules: tuple[Rule, ...]) -> None:
    """The same id may come again as a later version, but never twice on one day."""
    versions: dict[str, list[Period]] = {}
    for rule in rules:
        earlier = versions.setdefault(rule.id, [])
        if any(rule.effective.overlaps(other) for other in earlier):
            raise RuleError(rule.file, rule.id, "an id is in force twice on one day", rule.line)
        earlier.append(rule.effective)
