"""`python -m x12 check|describe|balance|ack FILE`: the library at hand on a command line; the only place with I/O."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from x12.acknowledge import acknowledge, acknowledge_interchange
from x12.amounts import from_cents
from x12.balance import balance
from x12.check import check
from x12.describe import describe
from x12.read import read
from x12.tree import X12Error


def main(arguments: list[str] | None = None) -> int:
    """0 when all is well, 1 when something was found, 2 when the file is not X12."""
    parser = argparse.ArgumentParser(prog="x12", description="Look into an X12 file.")
    parser.add_argument("command", choices=sorted(_COMMANDS))
    parser.add_argument("file", type=Path)
    parser.add_argument("--show-phi", action="store_true", help="describe without masking")
    options = parser.parse_args(arguments)
    try:
        return _COMMANDS[options.command](options.file.read_bytes(), options.show_phi)
    except X12Error as error:
        print(f"not X12: {error}", file=sys.stderr)
        return 2


def _check(data: bytes, show_phi: bool) -> int:
    errors = 0
    for interchange in read(data):
        for item in check(interchange):
            errors += item.is_error
            print(
                f"{item.severity} snip={item.snip} {item.rule} {item.path} segment={item.position} "
                f"found={item.found or '-'} expected={item.expected or '-'}"
            )
    return 1 if errors else 0


def _describe(data: bytes, show_phi: bool) -> int:
    print(describe(data, mask_phi=not show_phi))
    return 0


def _balance(data: bytes, show_phi: bool) -> int:
    broken = 0
    for interchange in read(data):
        for transaction in interchange.sets():
            if transaction.code != "835":
                continue
            report = balance(transaction)
            broken += len(report.breaks)
            print(
                f"paid {from_cents(report.paid_cents)} less {from_cents(report.provider_adjustment_cents)} "
                f"is {from_cents(report.total_cents)}: {'balanced' if report.balanced else 'NOT balanced'}"
            )
            for item in report.breaks:
                print(
                    f"  {item.level} {item.segment_id}{item.element:02d} segment={item.position} "
                    f"found={from_cents(item.found_cents)} expected={from_cents(item.expected_cents)}"
                )
    return 1 if broken else 0


def _ack(data: bytes, show_phi: bool) -> int:
    rejected = 0
    for interchange in read(data):
        findings = check(interchange)
        answer = acknowledge_interchange(interchange, findings)
        print(f"TA1 {answer.status} {answer.note}")
        for group in acknowledge(interchange, findings):
            rejected += group.status not in ("A", "E")
            print(f"999 AK9 {group.status} {group.included}/{group.received}/{group.accepted}")
            for item in group.sets:
                print(f"  AK2 {item.code} IK5 {item.status} {' '.join(item.codes)}".rstrip())
    return 1 if rejected else 0


_COMMANDS: dict[str, Callable[[bytes, bool], int]] = {
    "check": _check,
    "describe": _describe,
    "balance": _balance,
    "ack": _ack,
}

if __name__ == "__main__":
    sys.exit(main())
