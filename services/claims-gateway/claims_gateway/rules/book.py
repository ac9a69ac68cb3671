"""Reads the rule files into one value. A folder of the site replaces single files; a wrong row refuses the whole."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from code_tables import (
    AddOn,
    FeeRow,
    PtpTable,
    UnitLimit,
    find_table,
    load_add_ons,
    load_fee_schedule,
    load_mue,
    load_ptp,
    read_day,
    read_rows,
)
from kernel.errors import Unreadable
from kernel.rules import Rule, RuleError, load_rules, rule_file

from claims_gateway.model import BilledLine, Claim

T = TypeVar("T")
SHIPPED = Path(__file__).parent
_WAITS = {"coverage", "authorization", "person"}
_GOES_WITH = ("any", "visit", "procedure")

# SBR09 in the classes by which the line is measured (X12 005010X222A1, 2000B SBR09); what is not named is "other".
_PAYER_CLASSES = {
    "medicare": ("MA", "MB", "16"),
    "medicaid": ("MC",),
    "tricare": ("CH",),
    "commercial": ("CI", "BL", "HM", "12", "13", "14", "15", "17", "FI"),
}
_CLASS_OF = {indicator: name for name, indicators in _PAYER_CLASSES.items() for indicator in indicators}
OTHER_CLASS = "other"


@dataclass(frozen=True, slots=True)
class Payer:
    id: str
    name: str
    filing_indicator: str
    timely_filing_days: int
    corrected_filing_days: int
    receiver: str
    mpfs: bool

    @property
    def payer_class(self) -> str:
        """medicare, medicaid, tricare, commercial or other."""
        return _CLASS_OF.get(self.filing_indicator, OTHER_CLASS)

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
class Modifier:
    start: date
    end: date
    goes_with: str


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything that the scrub looks up, the code tables by code."""

    payers: Mapping[str, Payer]
    edits: tuple[Edit, ...]
    referrals: tuple[Rule, ...]
    fees: Mapping[str, FeeRow]
    ptp: PtpTable
    mue: Mapping[str, UnitLimit]
    add_ons: Mapping[str, AddOn]
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

    Unreadable with file and row when one is wrong.
    """
    folders = [SHIPPED] if site is None else [site, SHIPPED]

    def table(name: str) -> Path:
        return find_table(name, folders)

    def rows(name: str, key: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
        return _toml(rule_file(name, site, SHIPPED), key, make)

    referrals = rule_file("referrals.toml", site, SHIPPED).read_text(encoding="utf-8")
    places = read_rows(table("places.csv"), ["code", "facility"])
    return RuleBook(
        payers={payer.id: payer for payer in rows("payers.toml", "payer", _payer)},
        edits=tuple(sorted(rows("edits.toml", "edit", _edit), key=lambda edit: edit.rank)),
        referrals=load_rules(referrals, "referrals.toml", fields={"cpt"}, outcomes={"required"}),
        fees=load_fee_schedule(table("pfs_rvu.csv")),
        ptp=load_ptp(table("ncci_ptp.csv")),
        mue=load_mue(table("ncci_mue.csv")),
        add_ons=load_add_ons(table("ncci_addon.csv")),
        modifiers=dict(_modifiers(table("modifiers.csv"))),
        facility={row["code"]: row["facility"] == "Y" for _, row in places},
        places_of_code=dict(_place_rules(rows("place_rules.toml", "family", dict))),
    )


def _toml(path: Path, key: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))[key]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise RuleError(path.name, "", f"no readable [[{key}]] rows") from error
    return [_made(path.name, str(row.get("id", number)), make, row) for number, row in enumerate(rows, 1)]


def _made(name: str, row_id: str, make: Callable[[dict[str, Any]], T], row: dict[str, Any]) -> T:
    try:
        return make(row)
    except (KeyError, ValueError, TypeError) as error:
        raise RuleError(name, row_id, f"a field is missing or wrong ({type(error).__name__})") from error


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


def _modifiers(path: Path) -> Iterator[tuple[str, Modifier]]:
    for place, row in read_rows(path, ["modifier", "from", "to", "goes_with"]):
        try:
            start, end = read_day(row["from"]) or date.min, read_day(row["to"]) or date.max
        except ValueError as error:
            raise Unreadable("table_row", place, "a day is YYYY-MM-DD") from error
        if row["goes_with"] not in _GOES_WITH:
            raise Unreadable("table_row", place, f"goes_with is one of {', '.join(_GOES_WITH)}")
        yield row["modifier"], Modifier(start, end, row["goes_with"])


def _place_rules(families: list[dict[str, Any]]) -> Iterator[tuple[str, frozenset[str]]]:
    for family in families:
        for code in family["codes"]:
            yield code, frozenset(family["places"])
