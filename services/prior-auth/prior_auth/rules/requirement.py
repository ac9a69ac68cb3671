"""Whether a payer requires an authorization: rows of requirements.toml, asked for one service on one day."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kernel.rules import Rule, RuleError, evaluate, load_rules

from prior_auth.model import PayerRow, Payers, Requirement, Ruling, ServiceQuestion

REQUIREMENTS, PAYERS = "requirements.toml", "payers.toml"

_SHIPPED = Path(__file__).parent
_FIELDS = frozenset({"code", "place", "diagnosis"})
_OUTCOMES = frozenset({"required"})
_PAYER = {"id": str, "name": str, "effective_from": date, "effective_to": date}
_NO_ROW = "No row of this payer asks for an authorization of this service on this day."
_NO_PAYER = "The payer is not in the table of payers, so nobody can tell what it requires."


@dataclass(frozen=True, slots=True)
class Requirements:
    """The rows in force: payers by id, and what they want to authorize."""

    payers: Payers
    rules: tuple[Rule, ...]

    def determine(self, question: ServiceQuestion) -> Ruling:
        """What the rows say. An exemption outweighs; a known payer without a row that hits requires nothing."""
        payer = self.payers.get(question.payer_id)
        if payer is None or not payer.in_force(question.on):
            return Ruling(requirement=Requirement.UNSPECIFIED, because=_NO_PAYER)
        hits = evaluate(self.rules, _facts(question), question.on)
        decisive = next((hit for hit in hits if hit.outcome["required"] is False), hits[0] if hits else None)
        if decisive is None:
            return Ruling(requirement=Requirement.NOT_REQUIRED, because=_NO_ROW)
        required = Requirement.REQUIRED if decisive.outcome["required"] else Requirement.NOT_REQUIRED
        return Ruling(requirement=required, rule_id=decisive.rule_id, because=decisive.because)


def load_requirements(site: Path | None = None) -> Requirements:
    """The shipped sample; a file of the same name in `site` takes the place of the shipped one.

    RuleError names file, row and reason; nothing is loaded then.
    """
    rules = load_rules(_text(REQUIREMENTS, site), REQUIREMENTS, fields=_FIELDS, outcomes=_OUTCOMES)
    for rule in rules:
        if not isinstance(rule.outcome["required"], bool):
            raise RuleError(REQUIREMENTS, rule.id, "required is true or false", rule.line)
    return Requirements(_payers(_text(PAYERS, site)), rules)


def _facts(question: ServiceQuestion) -> dict[str, object]:
    return {
        "payer": question.payer_id,
        "code": question.code,
        "place": question.place_of_service,
        "diagnosis": list(question.diagnoses),
    }


def _text(name: str, site: Path | None) -> str:
    own = site / name if site is not None else None
    return (own if own is not None and own.is_file() else _SHIPPED / name).read_text(encoding="utf-8")


def _payers(text: str) -> Payers:
    try:
        rows = tomllib.loads(text).get("payer")
    except tomllib.TOMLDecodeError as error:
        raise RuleError(PAYERS, "-", f"not TOML: {error}") from error
    if not isinstance(rows, list) or not rows:
        raise RuleError(PAYERS, "-", "the file needs [[payer]] rows")
    found: dict[str, PayerRow] = {}
    for number, row in enumerate(rows, 1):
        if problem := _row_problem(row) or ("id comes twice" if row["id"] in found else None):
            raise RuleError(PAYERS, f"number {number}", problem)
        found[row["id"]] = PayerRow(**row)
    return found


def _row_problem(row: Any) -> str | None:
    if not isinstance(row, dict):
        return "not a row"
    if missing := sorted(_PAYER.keys() - {"effective_to"} - row.keys()):
        return f"missing {', '.join(missing)}"
    if unknown := sorted(row.keys() - _PAYER.keys()):
        return f"unknown {', '.join(unknown)}"
    if wrong := sorted(name for name, value in row.items() if type(value) is not _PAYER[name]):
        return f"wrong type of {', '.join(wrong)}"
    if "effective_to" in row and row["effective_to"] < row["effective_from"]:
        return "effective_to lies before effective_from"
    return None
