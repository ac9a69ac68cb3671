"""Bank deposits: NACHA files with CCD+ entries, 94 characters a record, the TRN of the 835 in each addenda.

Layout by the NACHA operating rules: 1 file header, 5 batch header, 6 entry, 7 addenda, 8 batch control, 9 file control.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from kernel.errors import Unreadable

from remittance.model.identity import derived_id
from remittance.model.remittance import Deposit

_WIDTH = 94
_FILLER = "9" * _WIDTH
_CREDITS = ("22", "32")
_KINDS = frozenset("156789")


def read_deposits(raw: bytes) -> list[Deposit]:
    """The credits of the file in order, once its batch and file totals prove that none is missing.

    Unreadable (`nacha-record`, `nacha-order`, `nacha-total`, `nacha-trace`) with the number of the record.
    """
    records = _records(raw)
    deposits: list[Deposit] = []
    batch: list[tuple[int, str]] = []
    effective: date | None = None
    for number, record in enumerate(records, 1):
        kind = record[0]
        if kind == "5":
            effective, batch = _effective(record), []
        elif kind in "67":
            batch.append((number, record))
        elif kind == "8":
            _prove(batch, record, number)
            deposits += _deposits(batch, effective)
    _prove_file(records)
    return deposits


def _records(raw: bytes) -> list[str]:
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise Unreadable("nacha-record", "record[1]", "the file holds other than ASCII", error.start) from error
    lines = text.splitlines() if "\n" in text or "\r" in text else _cut(text)
    records = [line.ljust(_WIDTH) for line in lines if line.strip()]
    while records and records[-1] == _FILLER:
        records.pop()
    for number, record in enumerate(records, 1):
        if len(record) != _WIDTH or record[0] not in _KINDS:
            raise Unreadable(
                "nacha-record", f"record[{number}]", "94 characters that start with 1, 5, 6, 7, 8 or 9", number
            )
    if not records or records[0][0] != "1" or records[-1][0] != "9":
        raise Unreadable("nacha-order", "record[1]", "a file runs from record 1 to record 9", 1)
    return records


def _cut(text: str) -> list[str]:
    return [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]


def _number(text: str, number: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Unreadable("nacha-record", f"record[{number}]", "digits are needed there", number)
    return int(text)


def _effective(record: str) -> date | None:
    """Positions 70-75, YYMMDD; banks leave it blank at times."""
    try:
        return datetime.strptime(record[69:75], "%y%m%d").date()  # noqa: DTZ007 - a day without a clock time
    except ValueError:
        return None


def _amount(record: str, number: int) -> int:
    return _number(record[29:39], number)


def _prove(batch: Sequence[tuple[int, str]], control: str, number: int) -> None:
    """Record 8: entries and addenda in 5-10, debits in 21-32, credits in 33-44."""
    credits = sum(_amount(record, at) for at, record in batch if _is_credit(record))
    debits = sum(_amount(record, at) for at, record in batch if record[0] == "6" and not _is_credit(record))
    told = (_number(control[4:10], number), _number(control[20:32], number), _number(control[32:44], number))
    if told != (len(batch), debits, credits):
        raise Unreadable("nacha-total", f"record[{number}]", "the batch control differs from its entries", number)


def _prove_file(records: Sequence[str]) -> None:
    """Record 9: batches in 2-7, entries and addenda in 14-21, debits in 32-43, credits in 44-55."""
    number, last = len(records), records[-1]
    controls = [(at, record) for at, record in enumerate(records, 1) if record[0] == "8"]
    counted = (
        len(controls),
        sum(record[0] in "67" for record in records),
        sum(_number(record[20:32], at) for at, record in controls),
        sum(_number(record[32:44], at) for at, record in controls),
    )
    told = tuple(_number(last[start:end], number) for start, end in ((1, 7), (13, 21), (31, 43), (43, 55)))
    if told != counted:
        raise Unreadable("nacha-total", f"record[{number}]", "the file control differs from its batches", number)


def _is_credit(record: str) -> bool:
    return record[0] == "6" and record[1:3] in _CREDITS


def _deposits(batch: Sequence[tuple[int, str]], effective: date | None) -> list[Deposit]:
    found = []
    for index, (number, record) in enumerate(batch):
        if not _is_credit(record):
            continue
        following = batch[index + 1][1] if index + 1 < len(batch) else ""
        if not following.startswith("705"):
            raise Unreadable("nacha-trace", f"record[{number}]", "a CCD+ credit has an addenda record", number)
        trace, origin = _trace(following, number + 1)
        found.append(_deposit(record, number, trace, origin, effective))
    return found


def _deposit(record: str, number: int, trace: str, origin: str, effective: date | None) -> Deposit:
    amount = _amount(record, number)
    bank_trace = record[79:94].strip()
    return Deposit(
        deposit_id=derived_id("deposit", trace, origin, amount, bank_trace, effective),
        trace_number=trace,
        trace_origin=origin,
        amount_cents=amount,
        effective_on=effective,
    )


def _trace(addenda: str, number: int) -> tuple[str, str]:
    """TRN02 and TRN03 of the payment-related information, positions 4-83: the segment as the 835 has it."""
    elements = addenda[3:83].strip().rstrip("\\~").split("*")
    if len(elements) < 3 or elements[0] != "TRN" or not elements[2].strip():
        raise Unreadable("nacha-trace", f"record[{number}]", "the addenda holds no TRN segment", number)
    return elements[2].strip(), elements[3].strip() if len(elements) > 3 else ""
