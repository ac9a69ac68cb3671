"""Payer, code and charge rules as rows of data: what a row says, how rows are read from text, and what they answer."""

from kernel.rules.cases import Case, check_cases, load_cases
from kernel.rules.evaluation import OPERATORS, evaluate
from kernel.rules.loading import load_rules
from kernel.rules.row import EVERY_PAYER, Condition, Hit, Rule, RuleError
from kernel.rules.site import rule_file
from kernel.rules.tables import PAYERS, Table, load_tables

__all__ = [
    "EVERY_PAYER",
    "OPERATORS",
    "PAYERS",
    "Case",
    "Condition",
    "Hit",
    "Rule",
    "RuleError",
    "Table",
    "check_cases",
    "evaluate",
    "load_cases",
    "load_rules",
    "load_tables",
    "rule_file",
]
