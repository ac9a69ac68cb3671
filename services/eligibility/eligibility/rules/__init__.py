"""Payer rows, refusal codes and the judgement of a check: everything that decides, as data and pure functions."""

from eligibility.rules.loading import load_tables
from eligibility.rules.verdict import holds_on, verify

__all__ = ["holds_on", "load_tables", "verify"]
