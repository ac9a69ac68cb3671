"""Reads payers.toml and rejections.toml from a folder and refuses a file whole when one row is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kernel.rules
from kernel.rules import PAYERS, RuleError, Table, rule_file

from eligibility.model import PayerRow, Rejection, Tables

_SHIPPED = Path(__file__).parent
_REJECTIONS = Table("code", {"code": str, "field": str, "remedy": str, "retry": bool}, frozenset({"retry"}))
_DIFFERENCES = Table("field", {"field": str, "remedy": str})
_FIELDS = frozenset({"name", "birth-date", "member-id", "gender", "provider", "payer", "date", "request"})


def load_tables(site: Path | None = None) -> Tables:
    """The shipped sample rows; a file of the same name in `site` takes the place of the shipped one.

    RuleError names the file and the row that cannot be used.
    """
    payers = _load("payers.toml", site, payer=PAYERS)["payer"]
    refused = _load("rejections.toml", site, rejection=_REJECTIONS, difference=_DIFFERENCES)
    return Tables(
        payers={id: PayerRow(**row) for id, row in payers.items()},
        rejections={code: Rejection(**row) for code, row in refused["rejection"].items()},
        remedies={field: str(row["remedy"]) for field, row in refused["difference"].items()},
    )


def _load(name: str, site: Path | None, **tables: Table) -> dict[str, dict[str, Mapping[str, Any]]]:
    try:
        text = rule_file(name, site, _SHIPPED).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RuleError(name, "-", f"not TOML: {error}") from error
    loaded = kernel.rules.load_tables(text, name, tables)
    for table, rows in loaded.items():
        for key, row in rows.items():
            if row.get("field", "name") not in _FIELDS:
                raise RuleError(name, f"{table} {key}", "unknown field")
    return loaded
