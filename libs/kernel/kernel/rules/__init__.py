"""Payer, code and charge rules as rows of data: what a row says, how rows are read from text, and what they answer."""

from kernel.rules.cases import Case, check_cases, load_cases
from kernel.rules.evaluation import OPERATORS, evaluate
from kernel.rules.loading import load_rules
from kernel.rules.row import EVERY_PAYER, Condition, Hit, Rule, RuleError

__all__ = [
    "EVERY_PAYER",
    "OPERATORS",
    "Case",
    "Condition",
    "Hit",
    "Rule",
    "RuleError",
    "check_cases",
    "evaluate",
    "load_cases",
    "load_rules",
]
