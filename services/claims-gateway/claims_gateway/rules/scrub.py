"""Runs every row of the scrub over a claim. Pure: the same claim, tables and day give the same findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from claims_gateway.model import Claim, Finding
from claims_gateway.rules import check_coding, check_coverage, check_data, check_surgery
from claims_gateway.rules.book import World

# A predicate yields the paths at which its edit fires; nothing when the claim passes.
Check = Callable[[Claim, World], Iterable[str]]

CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for module in (check_coverage, check_coding, check_surgery, check_data)
    for check in module.CHECKS
}


def scrub(claim: Claim, world: World) -> tuple[Finding, ...]:
    """All findings, in the order of the edits' ranks. KeyError for a row that names no predicate."""
    return tuple(
        Finding(edit.id, edit.severity, path, edit.carc, edit.because, edit.waits_for)
        for edit in world.book.edits
        for path in CHECKS[edit.check](claim, world)
    )
