"""Reads the rule files; a file that a site has replaces the one that ships. One bad row refuses the file."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

from kernel.rules import Rule, RuleError, load_rules, rule_file

from remittance.rules.decide import Rulebook

SHIPPED = Path(__file__).parent
FILES = ("carc.toml", "contracts.toml", "deadlines.toml", "bank_holidays.toml")

_CARC_FIELDS = ("group", "carc", "rarc", "payer")
_CONTRACT = ("allowed_basis_points", "tolerance_cents")
_KINDS = ("contractual", "adjustment", "patient", "denial")


def load_rulebook(site: Path | None = None) -> Rulebook:
    """The rulebook, each file from `site` where it is there. RuleError names file, row and reason."""
    texts = {name: rule_file(name, site, SHIPPED).read_text(encoding="utf-8") for name in FILES}
    return Rulebook(
        carc=_carc(texts["carc.toml"]),
        contracts=_numbers(texts["contracts.toml"], "contracts.toml", ("payer",), _CONTRACT),
        deadlines=_numbers(texts["deadlines.toml"], "deadlines.toml", ("payer", "category", "rarc"), ("days",)),
        holidays=_holidays(texts["bank_holidays.toml"], "bank_holidays.toml"),
    )


def _numbers(text: str, file: str, fields: tuple[str, ...], outcomes: tuple[str, ...]) -> tuple[Rule, ...]:
    """Rules whose outcomes are all there and whole numbers that are not negative."""
    rules = load_rules(text, file, fields, outcomes)
    for rule in rules:
        values = [rule.outcome.get(name) for name in outcomes]
        if not all(type(value) is int and value >= 0 for value in values):
            raise RuleError(file, rule.id, f"{', '.join(outcomes)}: whole numbers, none negative", rule.line)
    return rules


def _carc(text: str) -> tuple[Rule, ...]:
    rules = load_rules(text, "carc.toml", _CARC_FIELDS, ("kind", "category", "wording"))
    for rule in rules:
        if rule.outcome.get("kind") not in _KINDS:
            raise RuleError("carc.toml", rule.id, f"kind is one of {', '.join(_KINDS)}", rule.line)
    return rules


def _holidays(text: str, file: str) -> frozenset[date]:
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(file, "holidays", f"not TOML: {error}") from error
    days = told.get("holidays", [])
    if told.keys() - {"holidays"} or not isinstance(days, list) or not all(type(day) is date for day in days):
        raise RuleError(file, "holidays", "holidays is a list of days, and there is nothing else")
    return frozenset(days)
