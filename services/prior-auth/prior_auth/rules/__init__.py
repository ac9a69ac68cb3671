"""Requirement rows, and the pure functions that read a decision out of rows and answers."""

from prior_auth.rules.decision import choose, decide
from prior_auth.rules.requirement import Requirements, load_requirements

__all__ = ["Requirements", "choose", "decide", "load_requirements"]
