"""005010X214: health care claim acknowledgement."""

from x12.tables.guide_rows import guide

GUIDE_277CA = guide(
    "277CA",
    "277",
    "005010X214",
    "HN",
    """
0100 ST R 1 1=277 +3
0200 BHT R 1 1=0085 2=08 +3 +4 +5 6=TH +6
> 2000A R 1
  0300 HL R 1 3=20 -2
  > 2100A R 1
    0500 NM1 R 1 1=AY,PR 2=2 +3 8=46,FI,PI,XV +8 +9
  > 2200A R 1
    0900 TRN R 1 1=1
    1200 DTP R 1 1=050/009 2=D8
  > 2000B R 1
    0300 HL R 1 3=21 +2
    > 2100B R 1
      0500 NM1 R 1 1=41 2=1,2 +3 8=46 +8 +9
    > 2200B R 1
      0900 TRN R 1 1=2
      1000 STC R * 3=U,WQ +2 +3
      1050 QTY S 1 1=90/AA
      1100 AMT S 1 1=YU/YY
    > 2000C S *
      0300 HL R 1 3=19 +2
      > 2100C R 1
        0500 NM1 R 1 1=85 2=1,2 8=FI,SV,XX
      > 2200C S 1
        0900 TRN R 1 1=1
        1000 STC S * 3=U,WQ +3
        1020 REF S 3 1=0B,1G,G2,LU,SY,TJ
        1050 QTY S 1 1=QA/QC
        1100 AMT S 1 1=YU/YY
      > 2000D S *
        0300 HL R 1 3=PT +2
        > 2100D R 1
          0500 NM1 R 1 1=QC 2=1 8=II,MI
        > 2200D R *
          0900 TRN R 1 1=2
          1000 STC R * 3=U,WQ +2 +3
          1020 REF S 1 1=1K/D9/BLT
          1200 DTP S 1 1=472 2=D8,RD8
          > 2220D S *
            1800 SVC R 1 1.1=AD,ER,HC,HP,IV,NU,WK
            1900 STC R * 3=U +3
            2000 REF S 1 1=FJ/XZ
            2100 DTP S 1 1=472 2=D8,RD8
2700 SE R 1
""",
)
