"""The payer's bank deposits: a NACHA CCD+ file whose addenda carries the remittance's trace number. Pure text.

Records are 94 characters, blocks are ten records (NACHA Operating Rules, appendix on ACH file exchange).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_RECORD = 94
_BLOCK = 10
_CREDIT = "22"
OUR_BANK = "091000019"
OUR_ACCOUNT = "2000000001"


@dataclass(frozen=True, slots=True)
class Deposit:
    """One payment into our account. `trace_number` and `origin` equal TRN02 and TRN03 of the 835."""

    amount_cents: int
    trace_number: str
    origin: str
    payer_name: str
    routing: str
    payee_name: str
    sequence: int
    created: datetime


def write_ccd(deposit: Deposit) -> str:
    """The file for one deposit: file header, batch header, entry, addenda, two controls, and filler lines of nines."""
    day = f"{deposit.created:%y%m%d}"
    trace = f"{deposit.routing[:8]}{deposit.sequence % 10_000_000:07d}"
    entry_hash = f"{int(OUR_BANK[:8]):010d}"
    amount = f"{deposit.amount_cents:012d}"
    company = f"1{deposit.origin[-9:]:>9}"
    records = [
        f"101 {OUR_BANK} {deposit.routing}{day}{deposit.created:%H%M}A094101"
        f"{'SAMPLE BANK NORTH':<23}{'SAMPLE BANK PAYERS':<23}{'':<8}",
        f"5220{deposit.payer_name.upper()[:16]:<16}{'':<20}{company:<10}CCD{'HCCLAIMPMT':<10}{day}{day}   1"
        f"{deposit.routing[:8]}{1:07d}",
        f"6{_CREDIT}{OUR_BANK}{OUR_ACCOUNT:<17}{deposit.amount_cents:010d}{'':<15}"
        f"{deposit.payee_name.upper()[:22]:<22}{'':<2}1{trace}",
        f"705{_payment_information(deposit):<80}{1:04d}{trace[-7:]}",
        f"8220{2:06d}{entry_hash}{0:012d}{amount}{company:<10}{'':<25}{deposit.routing[:8]}{1:07d}",
        f"9{1:06d}{1:06d}{2:08d}{entry_hash}{0:012d}{amount}{'':<39}",
    ]
    filler = ["9" * _RECORD] * (-len(records) % _BLOCK)
    return "".join(f"{record}\n" for record in records + filler)


def _payment_information(deposit: Deposit) -> str:
    """The reassociation trace as CAQH CORE 370 wants it in the addenda."""
    return f"TRN*1*{deposit.trace_number}*{deposit.origin}\\"
