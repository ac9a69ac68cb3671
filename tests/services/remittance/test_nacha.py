"""CCD+ files: what is read, and that a file that does not prove itself is refused with the number of its record."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable
from remittance.wire.nacha import read_deposits


def entry(amount_cents: int, addenda: str, code: str = "22", number: int = 1) -> list[str]:
    record = (
        f"6{code}{'07100001'}{'3'}{'123456789':<17}{amount_cents:010d}{'':<15}{'SAMPLE CLINIC':<22}  1{number:015d}"
    )
    return [record, f"705{addenda:<80}{1:04d}{number:07d}"]


def file_of(*entries: list[str], debits: int = 0, credits: int | None = None, count: int | None = None) -> bytes:
    records = [record for pair in entries for record in pair]
    sums = [int(r[29:39]) for r in records if r[0] == "6" and r[1:3] in ("22", "32")]
    total = sum(sums) if credits is None else credits
    lines = len(records) if count is None else count
    company = f"{'SYNTHETIC PAYER':<16}{'':<20}{'1999999999':<10}"
    batch = f"5220{company}CCD{'HCCLAIMPMT':<10}{'260304':<6}260305   1{'07100001':<8}{1:07d}"
    control = f"8220{lines:06d}{0:010d}{debits:012d}{total:012d}{'1999999999':<10}{'':<25}{'07100001':<8}{1:07d}"
    end = f"9{1:06d}{1:06d}{lines:08d}{0:010d}{debits:012d}{total:012d}{'':<39}"
    head = f"101 071000013 0710000132603041200A094101{'BANK':<23}{'CLINIC':<23}{'':<8}"
    whole = [head, batch, *records, control, end]
    whole += ["9" * 94] * (-len(whole) % 10)
    assert all(len(line) == 94 for line in whole)
    return ("\n".join(whole) + "\n").encode()


def test_each_credit_is_a_deposit_with_the_trace_of_its_remittance() -> None:
    raw = file_of(entry(4800, "TRN*1*T0001*1999999999\\"), entry(1, "TRN*1*T0002*SYNPA~", "32", 2))
    first, second = read_deposits(raw)
    assert (first.trace_number, first.trace_origin, first.amount_cents) == ("T0001", "1999999999", 4800)
    assert first.effective_on == date(2026, 3, 5)
    assert (second.trace_number, second.trace_origin, second.amount_cents) == ("T0002", "SYNPA", 1)


def test_the_same_entry_has_the_same_id_and_another_has_not() -> None:
    raw = file_of(entry(4800, "TRN*1*T1*1"), entry(4800, "TRN*1*T1*1", number=2))
    one, other = read_deposits(raw)
    assert read_deposits(raw)[0].deposit_id == one.deposit_id != other.deposit_id


def test_records_may_come_without_line_breaks() -> None:
    raw = file_of(entry(4800, "TRN*1*T1*1"))
    assert read_deposits(raw.replace(b"\n", b"")) == read_deposits(raw)


def test_a_debit_is_no_deposit() -> None:
    raw = file_of(entry(500, "TRN*1*T1*1", "27"), debits=500, credits=0)
    assert read_deposits(raw) == []


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "nacha-order"),
        (b"\xff" * 94, "nacha-record"),
        (b"hello", "nacha-record"),
        (file_of(entry(4800, "TRN*1*T1*1"), credits=4801), "nacha-total"),
        (file_of(entry(4800, "TRN*1*T1*1"), count=3), "nacha-total"),
        (file_of(entry(4800, "TRN*1*T1*1"), debits=1), "nacha-total"),
        (file_of(entry(4800, "RMR*IV*1")), "nacha-trace"),
        (file_of(entry(4800, "TRN*1**1")), "nacha-trace"),
        (file_of(entry(4800, "TRN*1*T1*1")[:1]), "nacha-trace"),
        (file_of(entry(4800, "TRN*1*T1*1")).replace(b"0000004800", b"00000048x0", 1), "nacha-record"),
        (file_of(entry(4800, "TRN*1*T1*1")).split(b"\n9")[0], "nacha-order"),
    ],
)
def test_a_file_that_does_not_prove_itself_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_deposits(raw)
    assert refused.value.code == code and refused.value.path.startswith("record[")


@given(st.binary(max_size=400))
def test_anything_else_is_refused_and_nothing_breaks(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read_deposits(raw)
