"""005010X279A1: eligibility, coverage or benefit information."""

from x12.tables.guide_rows import guide

_BENEFIT = """
> 2110{0} S *
  1300 EB R 1 4=12,13,14,15,16,17,18,19,41,42,43,47,AP,C1,CO,CP,D,DB,EP,FF,GP,HM,HN,HS,IN,IP,LC,LD,LI,LT,MA,MB,MC,\
MH,MI,MP,OT,PE,PL,PP,PR,PS,QM,RP,SP,TF,TM,WC,WU 11=N,U,Y 12=N,U,W,Y
  1350 HSD S 9
  1400 REF S 9 1=18,1L,1W,49,6P,9F,ALS,CLI,F6,FO,G1,IG,M7,N6,NQ
  1500 DTP S 20
  1600 AAA S 9 1=N,Y +3 +4
  1700 MSG S 10
  > 2115{0} S 10
    1800 III R 1
  3300 LS S 1 1=2120
  > 2120{0} S 23
    3400 NM1 R 1 1=13,1I,1P,2B,36,73,FA,GP,GW,I3,IL,LR,OC,P3,P4,P5,PR,PRP,SEP,TTP,VER,VN,VY,X3,Y2
    3410 N3 S 1
    3420 N4 S 1
    3430 PER S 3
    3440 PRV S 1
  3450 LE S 1 1=2120
"""

_PERSON = """
> 2100{0} R 1
  0400 NM1 R 1 1={1} 2=1,2
  0500 REF S 9
  0600 N3 S 1
  0700 N4 S 1
  0850 AAA S 9 1=N,Y +3 +4
  0900 PRV S 1
  1000 DMG S 1
  1100 INS S 1
  1150 HI S 1
  1200 DTP S 9
  1275 MPI S 1
"""


def _at(depth: int, text: str) -> str:
    return "".join(" " * depth + line + "\n" for line in text.splitlines() if line.strip())


GUIDE_271 = guide(
    "271",
    "271",
    "005010X279A1",
    "HB",
    """
0100 ST R 1 1=271 +3
0200 BHT R 1 1=0022 2=06,11 +4 +5
> 2000A R *
  0300 HL R 1 3=20 -2
  0350 AAA S 9 1=N,Y +3 +4
  > 2100A R 1
    0400 NM1 R 1 1=2B,36,GP,P5,PR 2=1,2 8=24,46,FI,NI,PI,XV,XX +8 +9
    0800 PER S 3 1=IC
    0850 AAA S 9 1=N,Y +3 +4
  > 2000B S *
    0300 HL R 1 3=21 +2
    > 2100B R 1
      0400 NM1 R 1 1=1P,2B,36,80,FA,GP,P5,PR 2=1,2 8=24,34,FI,PI,PP,SV,XV,XX +8 +9
      0500 REF S 9
      0600 N3 S 1
      0700 N4 S 1
      0850 AAA S 9 1=N,Y +3 +4
      0900 PRV S 1
    > 2000C S *
      0300 HL R 1 3=22 +2
      0320 TRN S 3 1=1,2 +3
"""
    + _at(6, _PERSON.format("C", "IL"))
    + _at(8, _BENEFIT.format("C"))
    + """
      > 2000D S *
        0300 HL R 1 3=23 +2
        0320 TRN S 3 1=1,2 +3
""".lstrip("\n")
    + _at(8, _PERSON.format("D", "03"))
    + _at(10, _BENEFIT.format("D"))
    + "4000 SE R 1\n",
)
