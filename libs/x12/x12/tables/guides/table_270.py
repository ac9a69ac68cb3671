"""005010X279A1: eligibility, coverage or benefit inquiry."""

from x12.tables.guide_rows import guide

GUIDE_270 = guide(
    "270",
    "270",
    "005010X279A1",
    "HS",
    """
0100 ST R 1 1=270 +3
0200 BHT R 1 1=0022 2=01,13 +3 +4 +5
> 2000A R *
  0300 HL R 1 3=20 4=1 -2
  > 2100A R 1
    0400 NM1 R 1 1=2B,36,GP,P5,PR 2=1,2 8=24,46,FI,NI,PI,XV,XX +8 +9
  > 2000B R *
    0300 HL R 1 3=21 4=1 +2
    > 2100B R 1
      0400 NM1 R 1 1=1P,2B,36,80,FA,GP,P5,PR 2=1,2 8=24,34,FI,PI,PP,SV,XV,XX +8 +9
      0500 REF S 9 1=0B,1C,1D,1J,4A,CT,EL,EO,HPI,JD,N5,N7,Q4,SY,TJ
      0600 N3 S 1
      0700 N4 S 1
      0900 PRV S 1
    > 2000C R *
      0300 HL R 1 3=22 4=0,1 +2
      0320 TRN S 2 1=1 +3
      > 2100C R 1
        0400 NM1 R 1 1=IL 2=1,2 8=II,MI
        0500 REF S 9 1=18,1L,1W,3H,49,6P,CT,EA,EJ,F6,GH,HJ,IF,IG,N6,NQ,SY,Y4
        0600 N3 S 1
        0700 N4 S 1
        0900 PRV S 1
        1000 DMG S 1
        1100 INS S 1 1=Y 2=18
        1150 HI S 1
        1200 DTP S 2 1=291,102
        > 2110C S 99
          1300 EQ R 1
          1350 AMT S 1 1=R/PB
          1700 III S 1
          1900 REF S 1 1=9F,G1
          2000 DTP S 1 1=291
      > 2000D S *
        0300 HL R 1 3=23 4=0 +2
        0320 TRN S 2 1=1 +3
        > 2100D R 1
          0400 NM1 R 1 1=03 2=1
          0500 REF S 9 1=18,1L,1W,3H,49,6P,CT,EA,EJ,F6,GH,HJ,IF,IG,MRC,N6,SY,Y4
          0600 N3 S 1
          0700 N4 S 1
          0900 PRV S 1
          1000 DMG S 1
          1100 INS S 1 1=N
          1150 HI S 1
          1200 DTP S 2 1=291,102
          > 2110D R 99
            1300 EQ R 1
            1700 III S 1
            1900 REF S 1 1=9F,G1
            2000 DTP S 1 1=291
2100 SE R 1
""",
)
