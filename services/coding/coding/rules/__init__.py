"""Code tables and rule rows of coding, loaded together from the site's folder before the shipped samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    read_rows,
)
from kernel.rules import Rule, load_rules

from coding.rules.drugs import DrugUnits, load_drug_units
from coding.rules.em import EmTable, load_em_levels
from coding.rules.icd10cm import Icd10cmTable, load_icd10cm
from coding.rules.modifier_kinds import ModifierTable, load_modifier_kinds
from coding.rules.procedures import ProcedureCodes, load_procedure_codes

SHIPPED = Path(__file__).parent
MODIFIER_FACTS = frozenset({"em", "with_procedure", "laterality", "distinct", "repeated_by", "place", "class", "code"})


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that coding looks up."""

    icd10cm: Icd10cmTable
    procedures: ProcedureCodes
    fees: Mapping[str, FeeRow]
    ptp: PtpTable
    mue: Mapping[str, UnitLimit]
    add_ons: Mapping[str, AddOn]
    em: EmTable
    modifier_kinds: ModifierTable
    derived_modifiers: tuple[Rule, ...]
    drugs: DrugUnits
    places: Mapping[str, str]


def load_rules_from(folders: Sequence[Path]) -> Rules:
    """Each table from the first folder that has it. Unreadable, with file and line, when one row is wrong."""

    def table(name: str) -> Path:
        return find_table(name, folders)

    return Rules(
        icd10cm=load_icd10cm(table("icd10cm_dated.csv")),
        procedures=load_procedure_codes(table("sample_codes.csv")),
        fees=load_fee_schedule(table("pfs_rvu.csv")),
        ptp=load_ptp(table("ncci_ptp.csv")),
        mue=load_mue(table("ncci_mue.csv")),
        add_ons=load_add_ons(table("ncci_addon.csv")),
        em=load_em_levels(table("em_levels.csv")),
        modifier_kinds=load_modifier_kinds(table("modifier_kinds.csv")),
        derived_modifiers=_derived(table("modifiers.toml")),
        drugs=load_drug_units(table("drug_units.csv")),
        places={row["class"]: row["place"] for _, row in read_rows(table("places.csv"), ["class", "place"])},
    )


def load_site_rules(site_dir: Path | None) -> Rules:
    """The rules of an installation: `<site_dir>/coding/` stands before what ships."""
    return load_rules_from([SHIPPED] if site_dir is None else [site_dir / "coding", SHIPPED])


def _derived(path: Path) -> tuple[Rule, ...]:
    return load_rules(path.read_text(encoding="utf-8"), path.name, fields=MODIFIER_FACTS, outcomes={"modifier"})
