"""Reads payers.toml and rejections.toml from a folder and refuses a file whole when one row is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from kernel.rules import RuleError

from eligibility.model import PayerRow, Rejection, Tables

_SHIPPED = Path(__file__).parent
_PAYER = {"id": str, "name": str, "effective_from": date, "effective_to": date}
_REJECTION = {"code": str, "field": str, "remedy": str, "retry": bool}
_DIFFERENCE = {"field": str, "remedy": str}
_OPTIONAL = frozenset({"effective_to", "retry"})
_FIELDS = frozenset({"name", "birth-date", "member-id", "gender", "provider", "payer", "date", "request"})

Row = TypeVar("Row")


def load_tables(site: Path | None = None) -> Tables:
    """The shipped sample rows; a file of the same name in `site` takes the place of the shipped one.

    RuleError names the file and the row that cannot be used.
    """
    payers, rejections = _Document("payers.toml", site), _Document("rejections.toml", site)
    payers.close({"payer"})
    rejections.close({"rejection", "difference"})
    return Tables(
        payers=payers.rows("payer", _PAYER, "id", lambda row: PayerRow(**row)),
        rejections=rejections.rows("rejection", _REJECTION, "code", lambda row: Rejection(**row)),
        remedies=rejections.rows("difference", _DIFFERENCE, "field", lambda row: str(row["remedy"])),
    )


class _Document:
    """One TOML file, either the site's or ours."""

    def __init__(self, name: str, site: Path | None) -> None:
        own = site / name if site is not None else None
        path = own if own is not None and own.is_file() else _SHIPPED / name
        self.name = name
        try:
            self._content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RuleError(name, "-", f"not TOML: {error}") from error

    def close(self, tables: set[str]) -> None:
        """No table besides these."""
        if strays := sorted(self._content.keys() - tables):
            raise RuleError(self.name, "-", f"unknown {', '.join(strays)}")

    def rows(
        self, table: str, shape: Mapping[str, type], key: str, build: Callable[[dict[str, Any]], Row]
    ) -> dict[str, Row]:
        """The rows of a table by their key."""
        found: dict[str, Row] = {}
        for number, row in enumerate(self._rows(table), 1):
            if problem := _row_problem(row, shape):
                raise RuleError(self.name, f"{table} number {number}", problem)
            if row[key] in found:
                raise RuleError(self.name, f"{table} number {number}", f"{key} comes twice")
            found[row[key]] = build(row)
        return found

    def _rows(self, table: str) -> Iterable[Any]:
        rows = self._content.get(table)
        if not isinstance(rows, list) or not rows:
            raise RuleError(self.name, "-", f"the file needs [[{table}]] rows")
        return rows


def _row_problem(row: object, shape: Mapping[str, type]) -> str | None:
    if not isinstance(row, dict):
        return "not a row"
    if missing := sorted(shape.keys() - _OPTIONAL - row.keys()):
        return f"missing {', '.join(missing)}"
    if unknown := sorted(row.keys() - shape.keys()):
        return f"unknown {', '.join(unknown)}"
    if wrong := sorted(name for name, value in row.items() if type(value) is not shape[name]):
        return f"wrong type of {', '.join(wrong)}"
    if "field" in row and row["field"] not in _FIELDS:
        return "unknown field"
    if "effective_to" in row and row["effective_to"] < row["effective_from"]:
        return "effective_to lies before effective_from"
    return None
