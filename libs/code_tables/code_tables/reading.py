"""Opens code tables as their publishers ship them (csv, or csv.gz), and refuses a file whose columns are others.

Lines of `#` before the header are remarks about the table.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO, cast

from kernel.errors import Unreadable


@contextmanager
def open_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[IO[str], int]]:
    """The lines after the header, which must begin with `columns`, and the number of the first of them."""
    with _open(path) as file:
        header, line = _header(file)
        if header[: len(columns)] != list(columns):
            begin = ", ".join(columns)
            raise Unreadable("table_columns", f"{path.name}:{line}", f"the columns must begin {begin}", line)
        yield file, line + 1


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row as ("file:line", values by column). Columns may come in any order and more may be there."""
    with _open(path) as file:
        header, first = _header(file)
        if missing := [name for name in columns if name not in header]:
            raise Unreadable("table_columns", f"{path.name}:{first}", f"missing columns {', '.join(missing)}", first)
        reader = csv.DictReader(file, header)
        for row in reader:
            line = first + reader.line_num
            if None in row or None in row.values():
                place = f"{path.name}:{line}"
                raise Unreadable("table_row", place, "the row has more or fewer cells than the header", line)
            yield f"{path.name}:{line}", {name: value.strip() for name, value in row.items()}


def read_day(text: str) -> date | None:
    """YYYY-MM-DD; None when blank; ValueError for anything else."""
    return date.fromisoformat(text) if text else None


def find_table(name: str, folders: Sequence[Path]) -> Path:
    """The first folder that has `name` wins, plain or as .gz: a site's own table stands before the shipped sample."""
    for folder in folders:
        for candidate in (folder / name, folder / f"{name}.gz"):
            if candidate.is_file():
                return candidate
    raise Unreadable("table_missing", name, "no such table, neither the site's nor the shipped one")


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")


def _header(file: IO[str]) -> tuple[list[str], int]:
    """The names of the columns and the number of their line; none in line 1 when there is nothing."""
    for number, line in enumerate(file, 1):
        if not line.startswith("#"):
            return next(csv.reader([line]), []), number
    return [], 1
