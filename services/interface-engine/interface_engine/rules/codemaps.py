"""The CSV files beside a channel: code maps, rosters of providers, lists of payers. Refused with file and line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kernel import codes
from kernel.errors import Unreadable
from kernel.identifiers import npi_valid
from kernel.period import Period

from interface_engine.rules.channel import Payer, Provider
from interface_engine.rules.marks import wrong
from interface_engine.rules.source import CodeRow

COLUMNS = (
    "source_system", "source_code", "target_system", "target_code", "effective_from", "effective_to", "policy", "owner"
)  # fmt: skip
PROVIDER_COLUMNS = ("provider", "npi", "family", "given", "taxonomy", "effective_from", "effective_to", "owner")
PAYER_COLUMNS = ("payer", "payer_id", "name", "effective_from", "effective_to", "owner")
_MAP, _NOT_BILLABLE = "map", "not-billable"
SHAPES = {
    codes.CPT: codes.is_cpt,
    codes.HCPCS: codes.is_hcpcs,
    codes.ICD10CM: codes.is_icd10cm,
}


@dataclass(frozen=True, slots=True)
class MapRow:
    """One row of a code map: from which system to which, the sender's code, and what it means when."""

    line: int
    systems: tuple[str, str]
    code: str
    meaning: CodeRow


def read_map(file: Path) -> list[MapRow]:
    """The rows of a code map."""
    return [_map_row(file.name, line, row) for line, row in _rows(file, COLUMNS, 5)]


def read_providers(file: Path) -> dict[str, tuple[Provider, ...]]:
    """The roster by the sender's number of a provider."""
    found: dict[str, tuple[Provider, ...]] = {}
    for line, row in _rows(file, PROVIDER_COLUMNS, 6):
        _needs(file.name, line, row, "provider", "family", "owner")
        if not npi_valid(row["npi"]):
            raise wrong(file.name, line, "npi is not an NPI: ten digits with their check digit")
        made = Provider(row["npi"], row["family"], row["given"], row["taxonomy"], _period(file.name, line, row))
        found[row["provider"]] = (*found.get(row["provider"], ()), made)
    return found


def read_payers(file: Path) -> dict[str, tuple[Payer, ...]]:
    """The list of payers by the sender's number of an insurance."""
    found: dict[str, tuple[Payer, ...]] = {}
    for line, row in _rows(file, PAYER_COLUMNS, 4):
        _needs(file.name, line, row, "payer", "payer_id", "owner")
        made = Payer(row["payer_id"], row["name"], _period(file.name, line, row))
        found[row["payer"]] = (*found.get(row["payer"], ()), made)
    return found


def _rows(file: Path, columns: tuple[str, ...], keyed_by: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line; the first `keyed_by` columns tell rows apart."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(file.name, None, f"cannot be read as UTF-8 ({type(error).__name__})") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    seen: set[tuple[str, ...]] = set()
    try:
        if tuple(reader.fieldnames or ()) != columns:
            raise wrong(file.name, 1, f"the columns are {', '.join(columns)}")
        for row in reader:
            line = reader.line_num
            if None in row or None in row.values():
                raise wrong(file.name, line, "too many or too few columns")
            key = tuple(row[name] for name in columns[:keyed_by])
            if key in seen:
                raise wrong(file.name, line, "the same row twice")
            seen.add(key)
            yield line, row
    except csv.Error as error:
        line = min(reader.line_num + 1, text.count("\n") + 1)
        raise wrong(file.name, line, "no CSV: quotes that do not fit") from error


def _map_row(file: str, line: int, row: dict[str, str]) -> MapRow:
    _needs(file, line, row, "source_system", "source_code", "owner")
    system, code = codes.canonical_system(row["target_system"]), row["target_code"]
    if row["policy"] == _MAP:
        if system not in SHAPES or not SHAPES[system](code):
            raise wrong(file, line, "the target is not a code of CPT, HCPCS or ICD-10-CM")
    elif row["policy"] != _NOT_BILLABLE or code:
        raise wrong(file, line, "the policy is map, or not-billable without a target code")
    source_system = codes.canonical_system(row["source_system"])
    meaning = CodeRow(system, code, _period(file, line, row))
    return MapRow(line, (source_system, system), row["source_code"], meaning)


def _needs(file: str, line: int, row: dict[str, str], *names: str) -> None:
    if not all(row[name] for name in names):
        raise wrong(file, line, f"{', '.join(names)} are needed")


def _period(file: str, line: int, row: dict[str, str]) -> Period:
    try:
        start, end = (
            date.fromisoformat(row[name]) if row[name] else None for name in ("effective_from", "effective_to")
        )
        return Period(start, end)
    except (ValueError, Unreadable) as error:
        raise wrong(file, line, "effective_from and effective_to are days, in that order") from error
