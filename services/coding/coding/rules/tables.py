"""Opens code tables as their publishers ship them (csv, or csv.gz), and refuses a file whose columns are others."""

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
def open_table(path: Path, columns: Sequence[str]) -> Iterator[IO[str]]:
    """The lines after the header, which must begin with `columns`."""
    with _open(path) as file:
        header = next(csv.reader([file.readline()]), [])
        if header[: len(columns)] != list(columns):
            raise Unreadable("table_columns", f"{path.name}:1", f"the columns must begin {', '.join(columns)}", 1)
        yield file


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row as ("file:line", values by column). Columns may come in any order and more may be there."""
    with _open(path) as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise Unreadable("table_columns", f"{path.name}:1", f"missing columns {', '.join(missing)}", 1)
        for row in reader:
            place = f"{path.name}:{reader.line_num}"
            if None in row or None in row.values():
                raise Unreadable("table_row", place, "the row has more or fewer cells than the header", reader.line_num)
            yield place, {name: value.strip() for name, value in row.items()}


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
