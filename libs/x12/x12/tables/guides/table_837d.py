"""005010X224A2: health care claim, dental."""

from x12.tables.guide_rows import guide

_SBR_PLACES = "A,B,C,D,E,F,G,H,P,S,T,U"
_FILING = "11,12,13,14,15,16,17,AM,BL,CH,CI,DS,FI,HM,LM,MA,MB,MC,OF,TV,VA,WC,ZZ"
_PRICING = "00,01,02,03,04,05,06,07,08,09,10,11,12,13,14"


def _provider(loop: str, entity: str, position: int, extra: str = "", most: int = 1, kind: str = "1,2") -> str:
    lines = [f"> {loop} S {most}", f"  {position} NM1 R 1 1={entity} 2={kind} 8=XX"]
    rest = [f"{position + (210 if position < 5000 else 250)} REF S 20 1=0B,1G,G2,LU"]
    lines += [f"  {line}" for line in sorted([*rest, *(line for line in extra.split("|") if line)])]
    return "\n".join(lines) + "\n"


def _other(loop: str, entity: str, most: int = 1) -> str:
    return f"> {loop} S {most}\n  3250 NM1 R 1 1={entity}\n  3550 REF R 3 1=0B,1G,G2,LU\n"


def _deeper(table: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in table.splitlines() if line.strip())


_LINE = (
    f"""
> 2400 R 50
  3650 LX R 1
  3800 SV3 R 1 1.1=AD +2 5=I,R 7=0
  3820 TOO S 32 1=JP +2
  4550 DTP S 1 1=472/441/452/446 2=D8
  4550 DTP S 1 1=139/196/198 2=D8
  4650 CN1 S 1 1=01,02,03,04,05,06,09
  4700 REF S 1 1=G3/G1/9F/6R/9A/9B/9D/9C
  4750 AMT S 1 1=T
  4800 K3 S 10
  4920 HCP S 1 1={_PRICING} +2
"""
    + _deeper(
        _provider("2420A", "82", 5000, "5050 PRV S 1 1=PE 2=PXC")
        + _provider("2420B", "DD", 5000, "5050 PRV S 1 1=AS 2=PXC")
        + _provider("2420C", "DQ", 5000)
        + _provider("2420D", "77", 5000, "5140 N3 R 1|5200 N4 R 1", kind="2"),
        2,
    )
    + """
  > 2430 S 15
    5400 SVD R 1 3.1=AD,ER +5
    5450 CAS S 5 1=CO,CR,OA,PI,PR
    5500 DTP R 1 1=573 2=D8
    5505 AMT S 1 1=EAF
"""
)

_OTHER_PAYER = f"""
> 2320 S 10
  2900 SBR R 1 1={_SBR_PLACES} +2 2=01,18,19,20,21,39,40,53,G8 9={_FILING}
  2950 CAS S 5 1=CO,CR,OA,PI,PR
  3000 AMT S 1 1=D/EAF/A8
  3100 OI R 1 3=N,W,Y +3 6=I,Y +6
  3200 MOA S 1
  > 2330A R 1
    3250 NM1 R 1 1=IL 2=1,2 +3 8=II,MI +8 +9
    3320 N3 S 1
    3400 N4 S 1
    3550 REF S 2 1=SY
  > 2330B R 1
    3250 NM1 R 1 1=PR 2=2 +3 8=PI,XV +8 +9
    3320 N3 S 1
    3400 N4 S 1
    3500 DTP S 1 1=573 2=D8
    3550 REF S 2 1=2U,EI,FY,NF
    3550 REF S 1 1=G1/9F/G3/T4/F8
""" + _deeper(
    _other("2330C", "DN,P3", 2)
    + _other("2330D", "82")
    + _other("2330E", "DQ")
    + _other("2330F", "85")
    + _other("2330G", "77")
    + _other("2330H", "DD"),
    2,
)

_CLAIM = f"""
> 2300 S 100
  1300 CLM R 1 +1 +2 +5 5.2=B +5.2 +5.3 6=N,Y +6 7=A,C,P +7 8=N,W,Y +8 9=I,Y +9 11.1=AA,EM,OA 12=01,02,03,05 19=PB \
20=1,2,3,4,5,6,7,8,9,10,11,15
  1350 DTP S 1 1=439/452/472/050 2=D8,RD8
  1450 DN1 S 1
  1500 DN2 S 35 2=E,M +2 6=JP
  1550 PWK S 10 1=B4,DA,DG,EB,OZ,P6,RB,RR 2=AA,BM,EL,EM,FT,FX
  1600 CN1 S 1 1=01,02,03,04,05,06,09
  1750 AMT S 1 1=F5
  1800 REF S 1 1=G3/4N/F8/9F/G1/9A/9C/D9
  1850 K3 S 10
  1900 NTE S 5 1=ADD
  2310 HI S 1 1.1=ABK,BK,TQ 2.1=ABF,BF,TQ 3.1=ABF,BF,TQ 4.1=ABF,BF,TQ
  2410 HCP S 1 1={_PRICING} +2
""" + _deeper(
    _provider("2310A", "DN,P3", 2500, "2550 PRV S 1 1=RF 2=PXC", 2, "1")
    + _provider("2310B", "82", 2500, "2550 PRV S 1 1=PE 2=PXC")
    + _provider("2310C", "77", 2500, "2650 N3 R 1|2700 N4 R 1", 1, "2")
    + _provider("2310D", "DD", 2500, "2550 PRV S 1 1=AS 2=PXC")
    + _provider("2310E", "DQ", 2500)
    + _OTHER_PAYER
    + _LINE,
    2,
)

_TABLE = (
    f"""
0050 ST R 1 1=837 +3
0100 BHT R 1 1=0019 2=00,18 +3 +4 +5 6=31,CH,RP +6
> 1000A R 1
  0200 NM1 R 1 1=41 2=1,2 +3 8=46 +8 +9
  0450 PER R 2 1=IC 3=EM,FX,TE +3 +4
> 1000B R 1
  0200 NM1 R 1 1=40 2=2 +3 8=46 +8 +9
> 2000A R *
  1001 HL R 1 3=20 4=1 +4 -2
  1003 PRV S 1 1=BI 2=PXC +2 +3
  1010 CUR S 1 1=85
  > 2010AA R 1
    1015 NM1 R 1 1=85 2=1,2 +3 8=XX
    1025 N3 R 1
    1030 N4 R 1
    1035 REF R 1 1=EI,SY
    1035 REF S 2 1=0B,1G
    1035 REF S 2 1=G2,LU
    1040 PER S 2 1=IC 3=EM,FX,TE
  > 2010AB S 1
    1015 NM1 R 1 1=87 2=1,2
    1025 N3 R 1
    1030 N4 R 1
  > 2010AC S 1
    1015 NM1 R 1 1=PE 2=2 +3 8=PI,XV
    1025 N3 R 1
    1030 N4 R 1
    1035 REF S 1 1=2U,FY,NF
    1035 REF R 1 1=EI
  > 2000B R *
    1001 HL R 1 3=22 4=0,1 +2 +4
    1005 SBR R 1 1={_SBR_PLACES} 2=18 5=12,13,14,15,16,41,42,43,47 9={_FILING} +9
    > 2010BA R 1
      1015 NM1 R 1 1=IL 2=1,2 +3 8=II,MI
      1025 N3 S 1
      1030 N4 S 1
      1032 DMG S 1 1=D8 +2 3=F,M,U +3
      1035 REF S 1 1=SY/Y4
    > 2010BB R 1
      1015 NM1 R 1 1=PR 2=2 +3 8=PI,XV +8 +9
      1025 N3 S 1
      1030 N4 S 1
      1035 REF S 3 1=2U,EI,FY,NF
      1035 REF S 2 1=G2,LU
"""
    + _deeper(_CLAIM, 4)
    + """
    > 2000C S *
      1001 HL R 1 3=23 4=0 +2 +4
      1007 PAT R 1 1=01,19,20,21,39,40,41,53,G8 +1 4=F,N,P
      > 2010CA R 1
        1015 NM1 R 1 1=QC 2=1 +3 -8 -9
        1025 N3 R 1
        1030 N4 R 1
        1032 DMG R 1 1=D8 +2 3=F,M,U +3
        1035 REF S 1 1=Y4/1W,SY
"""
    + _deeper(_CLAIM, 6)
    + """
5550 SE R 1
"""
)

GUIDE_837D = guide("837D", "837", "005010X224A2", "HC", "\n".join(line for line in _TABLE.splitlines() if line.strip()))
