"""The guides that are known, found by what a transaction set says of itself."""

from __future__ import annotations

from x12.tables.guide_rows import Guide
from x12.tables.guides.table_270 import GUIDE_270
from x12.tables.guides.table_271 import GUIDE_271
from x12.tables.guides.table_275 import GUIDE_275, GUIDE_275_6020
from x12.tables.guides.table_276 import GUIDE_276, GUIDE_277
from x12.tables.guides.table_277ca import GUIDE_277CA
from x12.tables.guides.table_278 import GUIDE_278_REQUEST, GUIDE_278_RESPONSE
from x12.tables.guides.table_835 import GUIDE_835
from x12.tables.guides.table_837d import GUIDE_837D
from x12.tables.guides.table_837i import GUIDE_837I
from x12.tables.guides.table_837p import GUIDE_837P
from x12.tables.guides.table_997 import GUIDE_997
from x12.tables.guides.table_999 import GUIDE_999
from x12.tables.guides.table_predetermination import GUIDE_PREDETERMINATION_I, GUIDE_PREDETERMINATION_P

__all__ = [
    "GUIDES",
    "GUIDE_270",
    "GUIDE_271",
    "GUIDE_275",
    "GUIDE_275_6020",
    "GUIDE_276",
    "GUIDE_277",
    "GUIDE_277CA",
    "GUIDE_278_REQUEST",
    "GUIDE_278_RESPONSE",
    "GUIDE_835",
    "GUIDE_837D",
    "GUIDE_837I",
    "GUIDE_837P",
    "GUIDE_997",
    "GUIDE_999",
    "GUIDE_PREDETERMINATION_I",
    "GUIDE_PREDETERMINATION_P",
    "find_guide",
]

GUIDES: tuple[Guide, ...] = (
    GUIDE_270,
    GUIDE_271,
    GUIDE_275,
    GUIDE_275_6020,
    GUIDE_276,
    GUIDE_277,
    GUIDE_277CA,
    GUIDE_278_REQUEST,
    GUIDE_278_RESPONSE,
    GUIDE_835,
    GUIDE_837D,
    GUIDE_837I,
    GUIDE_837P,
    GUIDE_997,
    GUIDE_999,
    GUIDE_PREDETERMINATION_I,
    GUIDE_PREDETERMINATION_P,
)
_BY_KEY: dict[tuple[str, str], Guide] = {(guide.code, guide.prefix): guide for guide in GUIDES}
_REQUEST_PURPOSES = frozenset(("01", "13", "36"))


def find_guide(code: str, version: str, purpose: str = "") -> Guide | None:
    """The guide for ST01, ST03 (or GS08) and BHT02; None when it is not one of ours.

    A 278 names the same guide for request and response: BHT02 tells them apart.
    """
    if code == "278" and version[:10] == GUIDE_278_REQUEST.prefix:
        return GUIDE_278_REQUEST if purpose in _REQUEST_PURPOSES else GUIDE_278_RESPONSE
    return _BY_KEY.get((code, version[:10]))
