"""005010X210 and 006020X314: additional information to support a health care claim or encounter."""

from x12.tables.guide_rows import guide


def _table(document: str) -> str:
    """Both guides have one shape; they differ in the segment that carries the document."""
    return f"""
0100 ST R 1 1=275 +3
0200 BGN R 1 1=02,11 +2 +3
> 1000A R 1
  0500 NM1 R 1 1=PR 2=2 +3 8=PI,XV +8 +9
  0900 PER S 1 1=IC
> 1000B R 1
  0500 NM1 R 1 1=41 2=1,2 +3 8=46,XX +8 +9
  0900 PER S 1 1=IC
> 1000C R 1
  0500 NM1 R 1 1=1P 2=1,2 +3 8=FI,SV,XX +8 +9
  0700 N3 S 1
  0750 N4 S 1
  0800 PRV S 1 2=PXC
  1000 REF S 5 1=0B,1G,EI,G2,G5,LU,SY,TJ
  > 1100C S 1
    0600 NX1 R 1 1=1P
    0700 N3 S 1
    0750 N4 S 1
> 1000D R 1
  0500 NM1 R 1 1=QC 2=1 +3 8=MI,MR,II
  1000 REF S 1 1=1K/BLT/EA/EJ/D9/X1/XZ/F8
  1050 DTP S 1 1=472 2=D8,RD8
  1050 DTP S 1 1=434/435/096
> 2000A R *
  3100 LX R 1
  3200 TRN R 1 1=1,2
  3300 STC S *
  3400 REF S 1 1=6R/FJ/1K/EA
  3450 SVC S 1
  3500 DTP S 1 1=472 2=D8,RD8
  > 2100A S 1
    4000 DTP R 1 1=368,472,434
  > 2100B R *
    4100 CAT R 1 1=AE +1
    4150 OOI S *
    4200 EFI S 1
{document}
5000 SE R 1
"""


_BINARY = "    4300 BIN R 1"
_ENCODED = "    4300 BDS R 1 1=ASC,B64"

GUIDE_275 = guide("275", "275", "005010X210", "PI", _table(_BINARY).strip("\n"))
GUIDE_275_6020 = guide("275-6020", "275", "006020X314", "PI", _table(_ENCODED).strip("\n"))
