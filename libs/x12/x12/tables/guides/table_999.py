"""005010X231A1: implementation acknowledgement."""

from x12.tables.guide_rows import guide

GUIDE_999 = guide(
    "999",
    "999",
    "005010X231A1",
    "FA",
    """
0100 ST R 1 1=999 +3
0200 AK1 R 1
> 2000 S *
  0300 AK2 R 1
  > 2100 S *
    0400 IK3 R 1 4=1,2,3,4,5,6,7,8,I4,I6,I7,I8,I9 +4
    0500 CTX S 10
    > 2110 S *
      0600 IK4 R 1 3=1,2,3,4,5,6,7,8,9,10,12,13,I10,I11,I12,I13,I6,I9
      0700 CTX S 10
  0800 IK5 R 1 1=A,E,M,R,W,X
0900 AK9 R 1 1=A,E,M,P,R,W,X
1000 SE R 1
""",
)
