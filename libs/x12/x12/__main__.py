"""`python -m x12 check|describe|balance|ack FILE...`: the library on a command line; the only place with I/O.

Files are read piece by piece, so that their size does not matter. Values that could name a person are never printed
unless `describe --show-phi` asks for them.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from x12.acknowledge import acknowledge, acknowledge_interchange
from x12.amounts import from_cents
from x12.balance import balance_stream
from x12.check import Finding, check_stream, survey
from x12.describe import describe_lines
from x12.tree import X12Error

OK, FOUND, NOT_X12, UNREADABLE = 0, 1, 2, 3
_CHUNK = 1 << 18
_LARGE = 8_000_000
_EXIT_CODES = """\
exit codes (with several files the highest one counts):
  0  nothing found: no errors, everything balances, every group accepted
  1  something found: an error of check, a sum that fails, a rejected group or interchange
  2  a file is not X12, or stops being X12: the position is printed
  3  a file cannot be read

check prints one line for each finding: severity, SNIP level, rule, path, where it stands (interchange.group.set,
segment from ISA as 1, loops with their occurrence), the shape found and what was expected. Warnings leave exit code 0.
"""


def main(arguments: list[str] | None = None) -> int:
    """0 when all is well, 1 when something was found, 2 when a file is not X12, 3 when it cannot be read."""
    parser = argparse.ArgumentParser(
        prog="x12", description="Look into X12 files of any size.", epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("command", choices=sorted(_COMMANDS), help="what to do with each file")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--show-phi", action="store_true", help="describe without masking names, ids and dates")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    options = parser.parse_args(arguments)
    worst = OK
    for path in options.files:
        if len(options.files) > 1:
            print(f"== {path}")
        worst = max(worst, _run(options.command, path, options.show_phi, options.quiet))
    return worst


def _run(command: str, path: Path, show_phi: bool, quiet: bool) -> int:
    try:
        return _COMMANDS[command](_chunks(path, quiet), show_phi)
    except X12Error as error:
        print(f"not X12: {error}", file=sys.stderr)
        return NOT_X12
    except OSError as error:
        print(f"cannot read {path}: {error.strerror}", file=sys.stderr)
        return UNREADABLE


def _chunks(path: Path, quiet: bool) -> Iterator[bytes]:
    """The bytes of a file; a bar on the terminal shows how far a large one has come."""
    console = Console(stderr=True)
    size = path.stat().st_size
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    shown = size >= _LARGE and console.is_terminal and not quiet
    with path.open("rb") as file, Progress(*columns, console=console, disable=not shown, transient=True) as progress:
        task = progress.add_task(path.name, total=size)
        while chunk := file.read(_CHUNK):
            yield chunk
            progress.advance(task, len(chunk))


def _check(data: Iterator[bytes], show_phi: bool) -> int:
    errors = 0
    for item in check_stream(data):
        errors += item.is_error
        print(
            f"{item.severity} snip={item.snip} {item.rule} {item.path} at={_place(item)} segment={item.position} "
            f"loop={item.loop_path or '-'} found={item.found or '-'} expected={item.expected or '-'}"
        )
    return FOUND if errors else OK


def _place(item: Finding) -> str:
    """Interchange, group and set by number, as far as the finding is inside of one."""
    return ".".join(str(number) for number in (item.interchange, item.group, item.set) if number)


def _describe(data: Iterator[bytes], show_phi: bool) -> int:
    for line in describe_lines(data, mask_phi=not show_phi):
        print(line)
    return OK


def _balance(data: Iterator[bytes], show_phi: bool) -> int:
    broken = 0
    for place, claims, report in balance_stream(data):
        broken += len(report.breaks)
        print(
            f"set {'.'.join(map(str, place))}: {claims} claims, "
            f"paid {from_cents(report.paid_cents)} less {from_cents(report.provider_adjustment_cents)} "
            f"is {from_cents(report.total_cents)}: {'balanced' if report.balanced else 'NOT balanced'}"
        )
        for item in report.breaks:
            print(
                f"  {item.level} {item.segment_id}{item.element:02d} segment={item.position} "
                f"found={from_cents(item.found_cents)} expected={from_cents(item.expected_cents)}"
            )
    return FOUND if broken else OK


def _ack(data: Iterator[bytes], show_phi: bool) -> int:
    rejected = 0
    for interchange, findings in survey(data):
        answer = acknowledge_interchange(interchange, findings)
        rejected += answer.status == "R"
        print(f"TA1 {answer.status} {answer.note}")
        for group in acknowledge(interchange, findings):
            rejected += group.status not in ("A", "E")
            print(f"999 AK9 {group.status} {group.included}/{group.received}/{group.accepted}")
            for item in group.sets:
                print(f"  AK2 {item.code} IK5 {item.status} {' '.join(item.codes)}".rstrip())
    return FOUND if rejected else OK


_COMMANDS: dict[str, Callable[[Iterator[bytes], bool], int]] = {
    "check": _check,
    "describe": _describe,
    "balance": _balance,
    "ack": _ack,
}

if __name__ == "__main__":
    # nothing here is made in circles that would stay, so looking for circles often is time lost
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    sys.exit(main())
