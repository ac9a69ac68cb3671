"""005010X291 and 005010X292: predetermination, professional and institutional. A claim that asks what would be paid:
CLM19 says so, and what is known only after the service may be absent."""

from x12.tables.guide_rows import guide
from x12.tables.guides.table_837i import TABLE as _INSTITUTIONAL
from x12.tables.guides.table_837p import TABLE as _PROFESSIONAL

_CHANGES = (
    ("4550 DTP R 1 1=472", "4550 DTP S 1 1=472"),
    ("1350 DTP R 1 1=434 2=RD8", "1350 DTP S 1 1=434 2=RD8"),
    ("1400 CL1 R 1", "1400 CL1 S 1"),
    ("20=1,2,3,4,5,6,7,8,9,10,11,15", "19=08,PB +19"),
)


def _asking(table: str) -> str:
    for old, new in _CHANGES:
        table = table.replace(old, new)
    return "\n".join(line for line in table.splitlines() if line.strip())


GUIDE_PREDETERMINATION_P = guide("837P-predetermination", "837", "005010X291", "HC", _asking(_PROFESSIONAL))
GUIDE_PREDETERMINATION_I = guide("837I-predetermination", "837", "005010X292", "HC", _asking(_INSTITUTIONAL))
