"""Checks of what was read, as findings and never as exceptions. SNIP 1 syntax, 2 guide, 3 balance; of 4 and 5 what
needs nothing but the file itself."""

from __future__ import annotations

from collections.abc import Iterator

from x12.amounts import from_cents
from x12.balance import balance
from x12.check.body import check_body, check_plain
from x12.check.codes import code_faults
from x12.check.envelope import group_findings, interchange_findings, set_findings
from x12.check.finding import ERROR, WARNING, Finding, shape
from x12.check.professional import claim_faults
from x12.loops import Frame, guide_of
from x12.tree import Interchange, TransactionSet

__all__ = ["ERROR", "WARNING", "Finding", "check", "shape"]


def check(subject: TransactionSet | Interchange) -> list[Finding]:
    """Every finding of a transaction set, or of an interchange with all that is in it, in order of position."""
    if isinstance(subject, TransactionSet):
        return _check_set(subject, set())
    findings = list(interchange_findings(subject))
    for group in subject.groups:
        findings += group_findings(group)
        seen: set[str] = set()
        for transaction in group.sets:
            findings += _check_set(transaction, seen)
    return sorted(findings, key=lambda finding: finding.position)


def _check_set(transaction: TransactionSet, seen: set[str]) -> list[Finding]:
    findings = list(set_findings(transaction, seen))
    guide = guide_of(transaction)
    name = guide.name if guide else transaction.code
    if guide is None:
        findings.append(_unknown_guide(transaction))
        if transaction.guide.startswith("00501"):
            findings += check_plain(transaction, name)
    else:
        found, root = check_body(transaction, guide)
        findings += found
        findings += _claims(transaction, root) if guide.name == "837P" else []
        findings += _codes(transaction, name)
    if transaction.code == "835":
        findings += _balance(transaction, name)
    return sorted(findings, key=lambda finding: finding.position)


def _unknown_guide(transaction: TransactionSet) -> Finding:
    header = transaction.segments[0]
    return Finding(
        snip=2, rule="guide.unknown", path="ST03", scope="set", code="I6", segment_id="ST", position=header.position,
        set_start=transaction.start, element=3, expected="a guide that is known",
    )  # fmt: skip


def _claims(transaction: TransactionSet, root: Frame) -> Iterator[Finding]:
    for fault in claim_faults(root, transaction.delimiters.component):
        segment = fault.segment
        yield Finding(
            snip=fault.snip, rule=fault.rule, path=f"837P/{fault.loop}/{segment.id}{fault.element:02d}",
            scope="element", code=fault.code, segment_id=segment.id, position=segment.position,
            set_start=transaction.start, loop=fault.loop, element=fault.element, found=fault.found,
            expected=fault.expected,
        )  # fmt: skip


def _codes(transaction: TransactionSet, name: str) -> Iterator[Finding]:
    mark = transaction.delimiters.component
    for segment in transaction.segments:
        for fault in code_faults(segment, mark):
            component = f"-{fault.component}" if fault.component else ""
            yield Finding(
                snip=5, rule=fault.rule, path=f"{name}/{segment.id}{fault.element:02d}{component}", scope="element",
                code="I12", segment_id=segment.id, position=segment.position, set_start=transaction.start,
                element=fault.element, component=fault.component,
                found=shape(segment.get(fault.element)), expected=fault.expected,
            )  # fmt: skip


def _balance(transaction: TransactionSet, name: str) -> Iterator[Finding]:
    for item in balance(transaction).breaks:
        yield Finding(
            snip=3, rule=item.rule, path=f"{name}/{item.segment_id}{item.element:02d}", scope="element", code="I12",
            segment_id=item.segment_id, position=item.position, set_start=transaction.start, element=item.element,
            found=from_cents(item.found_cents), expected=from_cents(item.expected_cents),
        )  # fmt: skip
