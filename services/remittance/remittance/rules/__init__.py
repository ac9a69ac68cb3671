"""How remittance judges: what an adjustment code is, what a contract allows, when a denial must be answered."""

from remittance.rules.decide import Judgment, Rulebook
from remittance.rules.load import load_rulebook

__all__ = ["Judgment", "Rulebook", "load_rulebook"]
