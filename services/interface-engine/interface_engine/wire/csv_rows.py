"""An export file of a system without an interface: whole or refused, its good rows by visit, its bad rows with why."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import msgspec
from kernel.errors import Unreadable

from interface_engine.rules.channel import Csv

_LONGEST_FIELD = 1_000_000
_ELSE_READ_AS = ("utf-8-sig", "cp1252")
# What an amount is multiplied by: dollars, or cents without a point where the feed says so.
_DOLLARS, _IMPLIED = Decimal(100), Decimal(1)


class Row(msgspec.Struct, frozen=True):
    """A row by the sender's own column names; `number` is its line's place in the file, the header being 1."""

    number: int
    record: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: why, and its cells as they came."""

    number: int
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A whole file. `visits` are the good rows, those of one visit together, in order of first appearance."""

    columns: tuple[str, ...]
    visits: tuple[tuple[Row, ...], ...]
    bad: tuple[BadRow, ...]
    rows: int
    cents: int
    bad_cents: int


def read_export(shape: Csv, data: bytes, *, implied: bool = False) -> Export:
    """The file by its channel's shape; `implied` amounts have two decimals without a point.

    Unreadable when it cannot be trusted as a whole: file-encoding, file-empty, file-header, file-partial, file-count,
    file-total.
    """
    table = list(_table(shape, data))
    if not table:
        raise Unreadable("file-empty", "", "there is nothing in the file")
    columns = _header(shape, table[0][1])
    body, trailer = _split(shape, table[1:])
    unit = _IMPLIED if implied else _DOLLARS
    good: list[Row] = []
    bad: list[BadRow] = []
    for number, cells in body:
        problem = _problem(shape, columns, cells)
        if problem:
            bad.append(BadRow(number, problem, tuple(cells)))
        else:
            good.append(Row(number, dict(zip(columns, cells, strict=True))))
    cents = sum(_cents(shape, columns, cells, unit) for _, cells in body)
    bad_cents = sum(_cents(shape, columns, row.cells, unit) for row in bad)
    _check_trailer(shape, trailer, len(body), cents, unit)
    return Export(columns, _by_visit(shape, good), tuple(bad), len(body), cents, bad_cents)


def rows_text(rows: Sequence[Row]) -> bytes:
    """The rows of a visit as they are stored: one message."""
    return msgspec.json.encode(rows)


def read_rows(text: bytes) -> list[Row]:
    """What `rows_text` wrote. Unreadable for anything else."""
    try:
        return msgspec.json.decode(text, type=list[Row])
    except msgspec.DecodeError as error:
        raise Unreadable("rows-unreadable", "", "not the rows of a visit") from error


def reject_file(shape: Csv, export: Export) -> bytes:
    """The bad rows with their line and reason in front, in the same form as the file."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=shape.delimiter, quotechar=shape.quote, lineterminator="\r\n")
    writer.writerow(("line", "reason", *export.columns))
    writer.writerows((bad.number, bad.reason, *bad.cells) for bad in export.bad)
    return text.getvalue().encode("utf-8")


def _table(shape: Csv, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line that they end on; empty lines are none."""
    text = _text(shape, data)
    if "\x00" in text:
        raise Unreadable("file-encoding", "", "there are zero bytes in the file: is it text at all?")
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=shape.delimiter, quotechar=shape.quote, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error:
        place = f"line {reader.line_num}"
        raise Unreadable("file-partial", place, "a quote that never ends, or text after one: is it whole?") from None


def _text(shape: Csv, data: bytes) -> str:
    for encoding in dict.fromkeys((shape.encoding, *_ELSE_READ_AS)):
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise Unreadable("file-encoding", "", f"not {shape.encoding}")


def _header(shape: Csv, cells: Sequence[str]) -> tuple[str, ...]:
    if len(set(cells)) != len(cells):
        raise Unreadable("file-header", "line 1", "a column twice")
    missing = [name for name in (*shape.required, *shape.visit_columns) if name not in cells]
    if missing:
        raise Unreadable("file-header", "line 1", f"columns that are missing: {', '.join(dict.fromkeys(missing))}")
    if not set(cells) & set(shape.columns):
        raise Unreadable("file-header", "line 1", "none of the feed's columns: has the header been left out?")
    return tuple(cells)


def _split(shape: Csv, body: list[tuple[int, list[str]]]) -> tuple[list[tuple[int, list[str]]], list[str] | None]:
    """Data rows, and the trailer where the feed has one."""
    marker = shape.trailer.get("marker")
    if marker is None:
        return body, None
    if not body or body[-1][1][0] != marker:
        raise Unreadable("file-partial", "", "the line with the totals is missing: the file is not whole")
    return body[:-1], body[-1][1]


def _check_trailer(shape: Csv, trailer: list[str] | None, rows: int, cents: int, unit: Decimal) -> None:
    if trailer is None:
        return
    for name, code, found in (("count", "file-count", rows), ("cents", "file-total", cents)):
        place = shape.trailer.get(name)
        if not isinstance(place, int):
            continue
        said = _number(trailer[place - 1]) if place <= len(trailer) else None
        if name == "cents" and said is not None:
            said *= unit
        if said != found:
            raise Unreadable(code, "", f"the totals at the end do not agree with the rows ({name})")


def _problem(shape: Csv, columns: Sequence[str], cells: Sequence[str]) -> str:
    if len(cells) != len(columns):
        return "too-many-cells" if len(cells) > len(columns) else "too-few-cells"
    record = dict(zip(columns, cells, strict=True))
    for name in (*shape.required, *shape.visit_columns):
        if not record[name]:
            return f"empty:{name}"
    if shape.amount and record.get(shape.amount) and _number(record[shape.amount]) is None:
        return f"no-amount:{shape.amount}"
    return ""


def _cents(shape: Csv, columns: Sequence[str], cells: Sequence[str], unit: Decimal) -> int:
    if not shape.amount or shape.amount not in columns or columns.index(shape.amount) >= len(cells):
        return 0
    found = _number(cells[columns.index(shape.amount)])
    return 0 if found is None else int((found * unit).to_integral_value())


def _number(text: str) -> Decimal | None:
    """An amount as people export it: 1,234.50, $12, (3.00) for what is taken off."""
    bare = text.replace(",", "").replace("$", "").strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1]}"
    try:
        found = Decimal(bare)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < Decimal(10**12) else None


def _by_visit(shape: Csv, rows: Sequence[Row]) -> tuple[tuple[Row, ...], ...]:
    visits: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        key = _visit_key(shape, row.record) if shape.visit_columns else (str(row.number),)
        visits.setdefault(key, []).append(row)
    return tuple(tuple(found) for found in visits.values())


def _visit_key(shape: Csv, record: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(record[name] for name in shape.visit_columns)
