"""Export files: whole or refused, good rows by visit, bad rows with their reason; whatever quoting and encoding."""

from __future__ import annotations

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interface_engine.rules.channel import Csv
from interface_engine.wire.csv_rows import read_export, read_rows, reject_file, rows_text
from kernel.errors import Unreadable

SHAPE = Csv(
    columns=("mrn", "visit", "code", "amount"),
    required=("mrn", "code"),
    visit_columns=("visit",),
    trailer={"marker": "TRAILER", "count": 2, "cents": 3},
    amount="amount",
)
PLAIN = Csv(columns=("mrn", "visit", "code", "amount"), required=("mrn",), visit_columns=("visit",), amount="amount")
HEAD = "mrn,visit,code,amount\r\n"


def text(*rows: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{row}\r\n" for row in rows)).encode()


def test_rows_of_one_visit_come_together_in_the_order_of_the_file() -> None:
    export = read_export(SHAPE, text("m1,v1,99213,100.00", "m2,v2,99214,1", "m1,v1,85025,2.50", "TRAILER,3,103.50"))
    assert [[row.number for row in visit] for visit in export.visits] == [[2, 4], [3]]
    assert export.visits[0][1].record == {"mrn": "m1", "visit": "v1", "code": "85025", "amount": "2.50"}
    assert (export.rows, export.cents, export.bad) == (3, 10350, ())


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (["m1,v1,99213,100.00"], "file-partial"),
        (["m1,v1,99213,100.00", "TRAILER,2,100.00"], "file-count"),
        (["m1,v1,99213,100.00", "TRAILER,1,99.99"], "file-total"),
        (["m1,v1,99213,100.00", "TRAILER,1"], "file-total"),
        (["m1,v1,99213,100.00", "TRAILER,one,100.00"], "file-count"),
        (['m1,v1,"99213,100.00', "TRAILER,1,100.00"], "file-partial"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_whole(rows: list[str], code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_export(SHAPE, text(*rows))
    assert refused.value.code == code
    assert "m1" not in str(refused.value)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file-empty"),
        (b"\r\n\r\n", "file-empty"),
        (b"m1,v1,99213,100\r\n", "file-header"),
        (b"mrn,visit,code,mrn\r\n", "file-header"),
        (b"mrn,code,amount\r\n", "file-header"),
        (b"mrn\x00,visit", "file-encoding"),
    ],
)
def test_what_is_no_export_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_export(PLAIN, data)
    assert refused.value.code == code


def test_bad_rows_are_set_aside_with_their_reason_and_the_rest_goes_on() -> None:
    export = read_export(
        SHAPE,
        text("m1,v1,99213,100.00", ",v2,99214,1.00", "m3,v3", "m4,v4,1,2,3", "m5,v5,99215,many", "m6,,99215,1",
             "TRAILER,6,104.00"),
    )  # fmt: skip
    assert [row.number for visit in export.visits for row in visit] == [2]
    assert [(bad.number, bad.reason) for bad in export.bad] == [
        (3, "empty:mrn"), (4, "too-few-cells"), (5, "too-many-cells"), (6, "no-amount:amount"), (7, "empty:visit"),
    ]  # fmt: skip
    rejects = list(csv.reader(io.StringIO(reject_file(SHAPE, export).decode(), newline="")))
    assert rejects[0] == ["line", "reason", "mrn", "visit", "code", "amount"]
    assert rejects[2] == ["4", "too-few-cells", "m3", "v3"]


def test_the_first_rows_of_every_number_of_bad_and_good_add_up() -> None:
    export = read_export(PLAIN, text("m1,v1,1,1.00", ",v1,1,2.00", "m2,v1,1,(0.50)"))
    assert (export.rows, len(export.bad), export.cents, export.bad_cents) == (3, 1, 250, 200)


def test_amounts_without_a_point_are_cents() -> None:
    export = read_export(PLAIN, text("m1,v1,1,9550", ",v1,1,100"), implied=True)
    assert (export.cents, export.bad_cents) == (9650, 100)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encodings_survive(encoding: str) -> None:
    data = (HEAD + 'm1,v1,"Grüße, ""du""",1\n').encode(encoding)
    (visit,) = read_export(PLAIN, data).visits
    assert visit[0].record["code"] == 'Grüße, "du"'


def test_extra_columns_and_another_order_are_fine_and_names_decide() -> None:
    export = read_export(PLAIN, b"amount,extra,code,visit,mrn\n$1,x,99213,v1,m1\n")
    assert export.visits[0][0].record["mrn"] == "m1"
    assert export.cents == 100


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n", exclude_categories=("Cs",)), max_size=20)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=20))
def test_any_text_comes_through_quoting(rows: list[tuple[str, str, str]]) -> None:
    shape = Csv(columns=("a", "b", "c"), visit_columns=())
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(("a", "b", "c"))
    writer.writerows(rows)
    export = read_export(shape, out.getvalue().encode())
    want = [tuple(cell.strip() for cell in row) for row in rows if any(cell.strip() for cell in row)]
    assert [tuple(row.record.values()) for visit in export.visits for row in visit] == want
    for visit in export.visits:
        assert read_rows(rows_text(visit)) == list(visit)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_file_or_a_refusal(data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        read_export(PLAIN, data)


def test_rows_that_nobody_wrote_are_refused() -> None:
    with pytest.raises(Unreadable):
        read_rows(b"[{}]")
