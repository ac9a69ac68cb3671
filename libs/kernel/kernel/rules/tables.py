"""Reading keyed rows (payers, refusal codes) from TOML text and refusing the whole text when one row is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernel.rules.row import RuleError

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One array of tables: the column that names a row, the type of each column, and those that may be left out."""

    key: str
    columns: Mapping[str, type]
    optional: frozenset[str] = frozenset()


PAYERS = Table(
    "id", {"id": str, "name": str, "effective_from": date, "effective_to": date}, frozenset({"effective_to"})
)


def load_tables(text: str, file: str, tables: Mapping[str, Table]) -> dict[str, dict[str, Row]]:
    """The rows of each of `tables` by their key, in order; every table has rows, and there are no others.

    Raises RuleError with file, row and reason for the first bad row; nothing is returned then.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(file, "-", f"not TOML: {error}") from error
    if strays := sorted(document.keys() - tables.keys()):
        raise RuleError(file, "-", f"unknown {', '.join(strays)}")
    return {name: _keyed(document.get(name), file, name, table) for name, table in tables.items()}


def _keyed(rows: object, file: str, name: str, table: Table) -> dict[str, Row]:
    if not isinstance(rows, list) or not rows:
        raise RuleError(file, "-", f"the file needs [[{name}]] rows")
    found: dict[str, Row] = {}
    for number, row in enumerate(rows, 1):
        problem = _problem(row, table) or (f"{table.key} comes twice" if row[table.key] in found else None)
        if problem:
            raise RuleError(file, f"{name} number {number}", problem)
        found[row[table.key]] = row
    return found


def _problem(row: object, table: Table) -> str | None:
    if not isinstance(row, dict):
        return "not a row"
    if missing := sorted(table.columns.keys() - table.optional - row.keys()):
        return f"missing {', '.join(missing)}"
    if unknown := sorted(row.keys() - table.columns.keys()):
        return f"unknown {', '.join(unknown)}"
    if wrong := sorted(name for name, value in row.items() if type(value) is not table.columns[name]):
        return f"wrong type of {', '.join(wrong)}"
    if "effective_to" in row and row["effective_to"] < row["effective_from"]:
        return "effective_to lies before effective_from"
    return None
