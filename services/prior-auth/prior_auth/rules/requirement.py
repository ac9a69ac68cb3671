"""Whether a payer requires an authorization: rows of requirements.toml, asked for one service on one day."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernel.rules import PAYERS, Rule, RuleError, evaluate, load_rules, load_tables, rule_file

from prior_auth.model import PayerRow, Payers, Requirement, Ruling, ServiceQuestion

REQUIREMENTS = "requirements.toml"

_PAYERS = "payers.toml"
_SHIPPED = Path(__file__).parent
_FIELDS = frozenset({"code", "place", "diagnosis"})
_OUTCOMES = frozenset({"required"})
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
    payers = load_tables(_text(_PAYERS, site), _PAYERS, {"payer": PAYERS})["payer"]
    return Requirements({id: PayerRow(**row) for id, row in payers.items()}, rules)


def _facts(question: ServiceQuestion) -> dict[str, object]:
    return {
        "payer": question.payer_id,
        "code": question.code,
        "place": question.place_of_service,
        "diagnosis": list(question.diagnoses),
    }


def _text(name: str, site: Path | None) -> str:
    return rule_file(name, site, _SHIPPED).read_text(encoding="utf-8")
