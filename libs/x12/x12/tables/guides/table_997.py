"""005010X230: functional acknowledgement, the one that knows nothing of guides."""

from x12.tables.guide_rows import guide

GUIDE_997 = guide(
    "997",
    "997",
    "005010X230",
    "FA",
    """
0100 ST R 1 1=997
0200 AK1 R 1
> 2000 S *
  0300 AK2 R 1
  > 2100 S *
    0400 AK3 R 1 4=1,2,3,4,5,6,7,8
    0500 AK4 S 99 3=1,2,3,4,5,6,7,8,9,10,12,13
  0600 AK5 R 1 1=A,E,M,R,W,X
0700 AK9 R 1 1=A,E,M,P,R,W,X
0800 SE R 1
""".strip("\n"),
)
