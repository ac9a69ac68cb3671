"""Checks of what was read, as findings and never as exceptions. SNIP 1 syntax, 2 guide, 3 balance, 4 situations,
5 external codes by date of service; rows for 6 and 7 come from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from x12.check.envelope import GroupTally, interchange_findings, stray_findings
from x12.check.finding import ERROR, WARNING, Finding, shape
from x12.check.run import check_set
from x12.check.situations import Rule
from x12.check.stream import Survey, check_stream, survey
from x12.code_sets import CodeSets
from x12.tree import Interchange, TransactionSet

__all__ = ["ERROR", "WARNING", "Finding", "Rule", "Survey", "check", "check_stream", "shape", "survey"]


def check(
    subject: TransactionSet | Interchange, *, codes: CodeSets | None = None, rules: Sequence[Rule] = ()
) -> list[Finding]:
    """Every finding of a transaction set, or of an interchange with all that is in it, in order of position.

    `codes` replaces the code sets that are shipped, `rules` are rows on top of the shipped situations."""
    if isinstance(subject, TransactionSet):
        return check_set(subject, GroupTally(subject.group, subject.interchange.get(12)), codes, rules)
    findings = list(interchange_findings(subject.header, subject.trailer, len(subject.groups)))
    findings += stray_findings(subject.strays, in_group=False)
    for number, group in enumerate(subject.groups, 1):
        tally = GroupTally(group.header, subject.header.get(12))
        found = list(stray_findings(group.strays, in_group=True))
        for transaction in group.sets:
            tally.add(transaction.segments[0])
            findings += check_set(transaction, tally, codes, rules)
        found += tally.findings(group.trailer)
        findings += [replace(item, group=number) for item in found]
    findings = [item if item.interchange else replace(item, interchange=subject.number) for item in findings]
    return sorted(findings, key=lambda finding: finding.position)
