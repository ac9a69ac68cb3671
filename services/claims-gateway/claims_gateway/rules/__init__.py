"""The scrub as data: payers, edits and code tables, read once and whole, and the predicates that the rows name."""

from __future__ import annotations

from pathlib import Path

from kernel.rules import RuleError

from claims_gateway.rules.book import Edit, Payer, RuleBook, World, read_book
from claims_gateway.rules.scrub import CHECKS, scrub

__all__ = ["Edit", "Payer", "RuleBook", "World", "load_book", "scrub"]


def load_book(site: Path | None = None) -> RuleBook:
    """The rules that ship, with the site's files in their place. Unreadable when a row is wrong or has no predicate."""
    book = read_book(site)
    for edit in book.edits:
        if edit.check not in CHECKS:
            raise RuleError("edits.toml", edit.id, "check names no predicate")
    return book
