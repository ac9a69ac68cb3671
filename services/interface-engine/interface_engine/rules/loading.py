"""Reads the source channels from a folder of YAML files and their CSV code maps, or refuses with file, line, reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from kernel import codes
from kernel.errors import Unreadable
from kernel.period import Period
from kernel.rules import RuleError

from interface_engine.rules.source import BILLING_TYPES, HOLD, IGNORE, CodeRow, Source

SHIPPED = Path(__file__).parent / "sources"
COLUMNS = (
    "source_system", "source_code", "target_system", "target_code", "effective_from", "effective_to", "policy", "owner"
)  # fmt: skip
_KEYS: Mapping[str, type] = {"name": str, "maps": list, "unmapped": dict}
_MAP_KEYS: Mapping[str, type] = {"file": str, "from": str, "to": str}
_MAP, _NOT_BILLABLE = "map", "not-billable"
_SHAPES = {
    codes.CPT: codes.is_cpt,
    codes.HCPCS: codes.is_hcpcs,
    codes.ICD10CM: codes.is_icd10cm,
}


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    systems: tuple[str, str]
    code: str
    meaning: CodeRow


def load_sources(site: Path | None = None) -> dict[str, Source]:
    """The channels by name: the shipped ones, and those of `<site>/sources`, where a file of the same name wins.

    RuleError names the file and the line that cannot be used.
    """
    folders = [SHIPPED, *([site / "sources"] if site is not None and (site / "sources").is_dir() else [])]
    files = {file.name: file for folder in folders for file in sorted(folder.iterdir())}
    sources: dict[str, Source] = {}
    for name, file in files.items():
        if file.suffix not in (".yaml", ".yml"):
            continue
        source = _load_source(file, files)
        if source.name in sources:
            raise _wrong(name, None, "another file has this source's name")
        sources[source.name] = source
    return sources


def _load_source(file: Path, files: dict[str, Path]) -> Source:
    document, lines = _read_yaml(file)
    _check_keys(file, document, _KEYS, ("name",), lines.get("", 1))
    for type_name, policy in document.get("unmapped", {}).items():
        if type_name not in BILLING_TYPES or policy not in (HOLD, IGNORE):
            raise _wrong(file.name, lines.get("unmapped"), f"unmapped has {BILLING_TYPES} with hold or ignore")
    meanings: dict[tuple[str, str], tuple[CodeRow, ...]] = {}
    rows: dict[str, list[_Row]] = {}
    wanted: dict[str, set[tuple[str, str]]] = {}
    for one in document.get("maps", []):
        _check_keys(file, one, _MAP_KEYS, tuple(_MAP_KEYS), lines.get("maps"))
        if one["file"] not in files:
            raise _wrong(file.name, lines.get("maps"), "a code map that is not there")
        rows.setdefault(one["file"], list(_read_map(files[one["file"]])))
        systems = (codes.canonical_system(one["from"]), codes.canonical_system(one["to"]))
        wanted.setdefault(one["file"], set()).add(systems)
    for name, found in rows.items():
        for row in found:
            _check_wanted(name, row, wanted[name])
            key = (row.systems[0], row.code)
            meanings[key] = (*meanings.get(key, ()), row.meaning)
    return Source(document["name"], meanings, document.get("unmapped", {}))


def _wrong(file: str, line: int | None, reason: str) -> RuleError:
    return RuleError(file, "-" if line is None else f"at line {line}", reason, line)


def _check_wanted(file: str, row: _Row, wanted: set[tuple[str, str]]) -> None:
    from_systems = {pair[0] for pair in wanted}
    known = row.systems in wanted if row.meaning.billable else row.systems[0] in from_systems
    if not known:
        raise _wrong(file, row.line, "systems that no map of the source names")


def _read_yaml(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The document, and the lines of its top keys."""
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise _wrong(file.name, None, "not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise _wrong(file.name, line, f"not YAML: {error.problem}") from error
    if not isinstance(document, dict) or not isinstance(node, yaml.MappingNode):
        raise _wrong(file.name, 1, "a source is a mapping with name, maps and unmapped")
    return document, {key.value: key.start_mark.line + 1 for key, _ in node.value}


def _check_keys(file: Path, given: Any, known: Mapping[str, type], needed: tuple[str, ...], line: int | None) -> None:
    if not isinstance(given, dict):
        raise _wrong(file.name, line, f"a mapping with {', '.join(known)} is needed")
    for key, value in given.items():
        if key not in known or not isinstance(value, known[key]):
            raise _wrong(file.name, line, f"{key} is unknown or of the wrong kind")
    for key in needed:
        if not given.get(key):
            raise _wrong(file.name, line, f"{key} is missing")


def _read_map(file: Path) -> Iterator[_Row]:
    with file.open(encoding="utf-8", newline="") as opened:
        reader = csv.DictReader(opened)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise _wrong(file.name, 1, f"the columns are {', '.join(COLUMNS)}")
        seen: set[tuple[str, ...]] = set()
        for row in reader:
            line = reader.line_num
            if None in row or None in row.values():
                raise _wrong(file.name, line, "too many or too few columns")
            key = tuple(row[name] for name in COLUMNS[:5])
            if key in seen:
                raise _wrong(file.name, line, "the same row twice")
            seen.add(key)
            yield _read_row(file.name, line, row)


def _read_row(file: str, line: int, row: dict[str, str]) -> _Row:
    if not row["source_system"] or not row["source_code"] or not row["owner"]:
        raise _wrong(file, line, "source_system, source_code and owner are needed")
    system, code = codes.canonical_system(row["target_system"]), row["target_code"]
    if row["policy"] == _MAP:
        if system not in _SHAPES or not _SHAPES[system](code):
            raise _wrong(file, line, "the target is not a code of CPT, HCPCS or ICD-10-CM")
    elif row["policy"] != _NOT_BILLABLE or code:
        raise _wrong(file, line, "the policy is map, or not-billable without a target code")
    source_system = codes.canonical_system(row["source_system"])
    meaning = CodeRow(system, code, _read_period(file, line, row))
    return _Row(line, (source_system, system), row["source_code"], meaning)


def _read_period(file: str, line: int, row: dict[str, str]) -> Period:
    try:
        start, end = (date.fromisoformat(row[name]) if row[name] else None for name in COLUMNS[4:6])
        return Period(start, end)
    except (ValueError, Unreadable) as error:
        raise _wrong(file, line, "effective_from and effective_to are days, in that order") from error
