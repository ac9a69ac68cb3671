"""Code tables as CMS publishes them, looked up by code and day. Codes only; samples ship with each service."""

from code_tables.fees import FeeRow, load_fee_schedule
from code_tables.ptp import PtpTable, load_ptp
from code_tables.reading import find_table, read_day, read_rows
from code_tables.units import AddOn, UnitLimit, load_add_ons, load_mue

__all__ = [
    "AddOn",
    "FeeRow",
    "PtpTable",
    "UnitLimit",
    "find_table",
    "load_add_ons",
    "load_fee_schedule",
    "load_mue",
    "load_ptp",
    "read_day",
    "read_rows",
]
