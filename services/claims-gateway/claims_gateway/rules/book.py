"""Reads the rule files into one value. A folder of the site replaces single files; a wrong row refuses the whole."""

from __future__ import annotations

import csv
import gzip
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from kernel.rules import Rule, RuleError, load_rules

from claims_gateway.model import BilledLine, Claim
from claims_gateway.rules.ncci import Pairs, read_pairs

T = TypeVar("T")
SHIPPED = Path(__file__).parent
_WAITS = {"coverage", "authorization", "person"}


@dataclass(frozen=True, slots=True)
class Payer:
    id: str
    name: str
    filing_indicator: str
    timely_filing_days: int
    corrected_filing_days: int
    receiver: str
    mpfs: bool

    def deadline(self, service_date: date) -> date:
        """Last day on which an original claim may reach the payer."""
        return service_date + timedelta(days=self.timely_filing_days)


@dataclass(frozen=True, slots=True)
class Edit:
    """One row of edits.toml. `check` names a predicate."""

    id: str
    rank: int
    carc: str
    severity: str
    because: str
    check: str
    waits_for: str
    waivable: bool


@dataclass(frozen=True, slots=True)
class FeeRow:
    """MPFS indicators of a code (or of a code with modifier 26, TC or 53)."""

    status: str
    pctc: str
    global_days: str
    bilateral: str
    assistant: str
    co_surgeon: str
    team: str


@dataclass(frozen=True, slots=True)
class UnitLimit:
    units: int
    mai: str


@dataclass(frozen=True, slots=True)
class Modifier:
    start: date
    end: date
    goes_with: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything that the scrub looks up. `fees` is keyed by code and modifier, `add_ons` by the add-on code."""

    payers: Mapping[str, Payer]
    edits: tuple[Edit, ...]
    referrals: tuple[Rule, ...]
    fees: Mapping[tuple[str, str], FeeRow]
    pairs: Pairs
    unit_limits: Mapping[str, UnitLimit]
    add_ons: Mapping[str, frozenset[str]]
    modifiers: Mapping[str, Modifier]
    facility: Mapping[str, bool]
    places_of_code: Mapping[str, frozenset[str]]

    def edit(self, edit_id: str) -> Edit | None:
        return next((edit for edit in self.edits if edit.id == edit_id), None)


@dataclass(frozen=True, slots=True)
class World:
    """What a predicate may look at besides the claim: the tables, the day, and what was billed before."""

    book: RuleBook
    today: date
    history: tuple[BilledLine, ...] = ()

    def payer(self, claim: Claim) -> Payer | None:
        return self.book.payers.get(claim.payer_id)


def read_book(site: Path | None = None) -> RuleBook:
    """The rules that ship, with the files of `site` (the service's folder in the site's configuration) in their place.

    RuleError with file and row when one is wrong.
    """
    folder = _Folder(site)
    return RuleBook(
        payers={payer.id: payer for payer in folder.toml("payers.toml", "payer", _payer)},
        edits=tuple(sorted(folder.toml("edits.toml", "edit", _edit), key=lambda edit: edit.rank)),
        referrals=load_rules(folder.text("referrals.toml"), "referrals.toml", fields={"cpt"}, outcomes={"required"}),
        fees=dict(folder.csv("pfs_sample.csv", _fee)),
        pairs=folder.pairs("ptp_sample.csv"),
        unit_limits=dict(
            folder.csv("mue_sample.csv", lambda row: (row["code"], UnitLimit(int(row["mue"]), row["mai"])))
        ),
        add_ons=_grouped(folder.csv("addon_sample.csv", lambda row: (row["addon"], row["primary"]))),
        modifiers=dict(folder.csv("modifiers.csv", _modifier)),
        facility=dict(folder.csv("places.csv", lambda row: (row["code"], row["facility"] == "Y"))),
        places_of_code=dict(_place_rules(folder.toml("place_rules.toml", "family", dict))),
    )


@dataclass(frozen=True, slots=True)
class _Folder:
    site: Path | None

    def path(self, name: str) -> Path:
        """The site's file, the same compressed, or ours."""
        candidates = [self.site / name, self.site / f"{name}.gz"] if self.site else []
        return next((path for path in candidates if path.is_file()), SHIPPED / name)

    def text(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")

    def toml(self, name: str, key: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
        try:
            rows = tomllib.loads(self.text(name))[key]
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise RuleError(name, "", f"no readable [[{key}]] rows") from error
        return [_made(name, str(row.get("id", number)), None, make, row) for number, row in enumerate(rows, 1)]

    def csv(self, name: str, make: Callable[[dict[str, str]], T]) -> Iterator[T]:
        for line, row in self.rows(name):
            yield _made(name, "", line, make, row)

    def rows(self, name: str) -> Iterator[tuple[int, dict[str, str]]]:
        path = self.path(name)
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
            yield from enumerate(csv.DictReader(line for line in file if not line.startswith("#")), 1)

    def pairs(self, name: str) -> Pairs:
        try:
            return read_pairs(row for _, row in self.rows(name))
        except (ValueError, KeyError, TypeError) as error:
            raise RuleError(name, "", "a row is not a pair of codes with dates and an indicator") from error


def _made(name: str, row_id: str, line: int | None, make: Callable[[Any], T], row: Any) -> T:
    try:
        return make(row)
    except (KeyError, ValueError, TypeError) as error:
        raise RuleError(name, row_id, f"a field is missing or wrong ({type(error).__name__})", line) from error


def _payer(row: dict[str, Any]) -> Payer:
    names = ("id", "name", "filing_indicator", "timely_filing_days", "corrected_filing_days", "receiver", "mpfs")
    payer = Payer(**{name: row[name] for name in names})
    if not payer.id or payer.timely_filing_days < 1:
        raise ValueError("id and a positive number of days")
    return payer


def _edit(row: dict[str, Any]) -> Edit:
    names = ("id", "rank", "carc", "severity", "because", "check")
    edit = Edit(
        **{name: row[name] for name in names},
        waits_for=row.get("waits_for", "person"),
        waivable=row.get("waivable", True),
    )
    if edit.severity not in {"error", "warning"} or edit.waits_for not in _WAITS or not row["source"]:
        raise ValueError("severity, waits_for or source")
    return edit


def _fee(row: dict[str, str]) -> tuple[tuple[str, str], FeeRow]:
    indicators = (row["bilat_surg"], row["asst_surg"], row["co_surg"], row["team_surg"])
    return (row["hcpcs"], row["modifier"]), FeeRow(row["status"], row["pctc"], row["global_days"], *indicators)


def _modifier(row: dict[str, str]) -> tuple[str, Modifier]:
    start = date.fromisoformat(row["from"]) if row["from"] else date.min
    end = date.fromisoformat(row["to"]) if row["to"] else date.max
    if row["goes_with"] not in {"any", "visit", "procedure"}:
        raise ValueError("goes_with")
    return row["modifier"], Modifier(start, end, row["goes_with"])


def _grouped(pairs: Iterator[tuple[str, str]]) -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in groups.items()}


def _place_rules(families: list[dict[str, Any]]) -> Iterator[tuple[str, frozenset[str]]]:
    for family in families:
        for code in family["codes"]:
            yield code, frozenset(family["places"])
