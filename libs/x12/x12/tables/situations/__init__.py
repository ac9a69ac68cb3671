"""Situational rules by guide, as text that `x12.check.situations` reads: SNIP 4."""

from __future__ import annotations

from x12.tables.situations.table_835 import ROWS as _REMITTANCE
from x12.tables.situations.table_837 import CLAIM as _CLAIM
from x12.tables.situations.table_837i import ROWS as _INSTITUTIONAL
from x12.tables.situations.table_837p import ROWS as _PROFESSIONAL

SITUATIONS: dict[str, str] = {
    "835": _REMITTANCE,
    "837I": _CLAIM.replace("{guide}", "837I") + _INSTITUTIONAL,
    "837P": _CLAIM.replace("{guide}", "837P") + _PROFESSIONAL,
}
