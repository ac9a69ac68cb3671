"""005010X223A2: health care claim, institutional."""

from x12.tables.guide_rows import guide

_NM1 = "8=XX"
_SBR_PLACES = "A,B,C,D,E,F,G,H,P,S,T,U"
_FILING = "11,12,13,14,15,16,17,AM,BL,CH,CI,DS,FI,HM,LM,MA,MB,MC,OF,TV,VA,WC,ZZ"
_PRICING = "00,01,02,03,04,05,06,07,08,09,10,11,12,13,14"
_PROCEDURES = "ER,HC,HP,IV,WK"
_ATTACHED = (
    "1=03,04,05,06,07,08,09,10,11,13,15,21,A3,A4,AM,AS,B2,B3,B4,BR,BS,BT,CB,CK,CT,D2,DA,DB,DG,DJ,DS,EB,HC,HR,I5,IR,LA,"
    "M1,MT,NN,OB,OC,OD,OE,OX,OZ,P4,P5,PE,PN,PO,PQ,PY,PZ,RB,RR,RT,RX,SG,V5,XP 2=AA,BM,EL,EM,FT,FX"
)


def _every(codes: str, rest: str = "", most: int = 12) -> str:
    """The same qualifiers (and `rest` by component, "{0}" the element) in each of the first `most` composites."""
    return " ".join(f"{at}.1={codes} {rest.format(at)}".strip() for at in range(1, most + 1))


def _only(count: int) -> str:
    """Composites after the first `count` are not used."""
    return " ".join(f"-{at}" for at in range(count + 1, 13))


def _provider(loop: str, entity: str, position: int, references: str, extra: str = "", kind: str = "1") -> str:
    lines = [f"> {loop} S 1", f"  {position} NM1 R 1 1={entity} 2={kind} +3 {_NM1}"]
    rest = [f"{position + (210 if position < 5000 else 250)} REF S 20 1={references}"]
    lines += [f"  {line}" for line in sorted([*rest, *(line for line in extra.split("|") if line)])]
    return "\n".join(lines) + "\n"


def _other(loop: str, entity: str, kind: str, references: str) -> str:
    return f"> {loop} S 1\n  3250 NM1 R 1 1={entity} 2={kind}\n  3550 REF R 4 1={references}\n"


def _deeper(table: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in table.splitlines() if line.strip())


_LINE = (
    f"""
> 2400 R 999
  3650 LX R 1
  3750 SV2 R 1 +1 2.1={_PROCEDURES} +3 4=DA,UN +4 +5 -6 -8 -9 -10
  4200 PWK S 10 {_ATTACHED}
  4550 DTP S 1 1=472 2=D8,RD8
  4700 REF S 1 1=6R/9B/9D
  4750 AMT S 1 1=GT/N8
  4850 NTE S 1 1=TPO
  4920 HCP S 1 1={_PRICING} +2
  > 2410 S 1
    4930 LIN R 1 2=EN,EO,HI,N4,ON,UK,UP
    4940 CTP R 1 +4 +5 5.1=F2,GR,ME,ML,UN
    4950 REF S 1 1=VY,XZ
"""
    + _deeper(
        _provider("2420A", "72", 5000, "0B,1G,G2,LU")
        + _provider("2420B", "ZZ", 5000, "0B,1G,G2,LU")
        + _provider("2420C", "82", 5000, "0B,1G,G2,LU")
        + _provider("2420D", "DN", 5000, "0B,1G,G2"),
        2,
    )
    + f"""
  > 2430 S 15
    5400 SVD R 1 3.1={_PROCEDURES} +5
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
  3150 MIA S 1
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
    3550 REF S 1 1=G1/9F/T4/F8
""" + _deeper(
    _other("2330C", "71", "1", "0B,1G,G2,LU")
    + _other("2330D", "72", "1", "0B,1G,G2,LU")
    + _other("2330E", "ZZ", "1", "0B,1G,G2,LU")
    + _other("2330F", "77", "2", "0B,G2,LU")
    + _other("2330G", "82", "1", "0B,1G,G2,LU")
    + _other("2330H", "DN", "1", "0B,1G,G2")
    + _other("2330I", "85", "2", "G2,LU"),
    2,
)

_CODES = f"""
  2310 HI R 1 1.1=ABK,BK {_only(1)}
  2310 HI S 1 1.1=ABJ,BJ {_only(1)}
  2310 HI S 1 {_every("APR,PR", most=3)} {_only(3)}
  2310 HI S 1 {_every("ABN,BN")}
  2310 HI S 1 1.1=DR {_only(1)}
  2310 HI S 2 {_every("ABF,BF")}
  2310 HI S 1 1.1=BBR,BR,CAH 1.3=D8 {_only(1)}
  2310 HI S 2 {_every("BBQ,BQ", "{0}.3=D8")}
  2310 HI S 2 {_every("BI", "{0}.3=RD8 +{0}.4")}
  2310 HI S 2 {_every("BH", "{0}.3=D8 +{0}.4")}
  2310 HI S 2 {_every("BE", "+{0}.5")}
  2310 HI S 2 {_every("BG")}
  2310 HI S 2 {_every("TC")}
"""

_CLAIM = (
    f"""
> 2300 S 100
  1300 CLM R 1 +1 +2 +5 5.2=A +5.2 +5.3 7=A,B,C +7 8=N,W,Y +8 9=I,Y +9 \
20=1,2,3,4,5,6,7,8,9,10,11,15
  1350 DTP S 1 1=096 2=TM
  1350 DTP R 1 1=434 2=RD8
  1350 DTP S 1 1=435 2=D8,DT
  1350 DTP S 1 1=050 2=D8
  1400 CL1 R 1 +3
  1550 PWK S 10 {_ATTACHED}
  1600 CN1 S 1 1=01,02,03,04,05,06,09
  1750 AMT S 1 1=F3
  1800 REF S 1 1=4N/9F/G1/F8/9A/9C/D9/LU/EA/P4/G4
  1800 REF S 5 1=LX
  1850 K3 S 10
  1900 NTE S 10 1=ALG,DCP,DGN,DME,MED,NTR,ODT,RHB,RLH,RNH,SET,SFM,SPT,UPI
  1900 NTE S 1 1=ADD
  2200 CRC S 1 1=ZZ 2=N,Y 3=AV,NU,S2,ST
"""
    + _CODES
    + f"  2410 HCP S 1 1={_PRICING} +2\n"
    + _deeper(
        _provider("2310A", "71", 2500, "0B,1G,G2,LU", "2550 PRV S 1 1=AT 2=PXC +2 +3")
        + _provider("2310B", "72", 2500, "0B,1G,G2,LU")
        + _provider("2310C", "ZZ", 2500, "0B,1G,G2,LU")
        + _provider("2310D", "82", 2500, "0B,1G,G2,LU")
        + _provider("2310E", "77", 2500, "0B,G2,LU", "2650 N3 R 1|2700 N4 R 1", "2")
        + _provider("2310F", "DN", 2500, "0B,1G,G2")
        + _OTHER_PAYER
        + _LINE,
        2,
    )
)

TABLE = (
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
    1015 NM1 R 1 1=85 2=2 +3 8=XX
    1025 N3 R 1
    1030 N4 R 1
    1035 REF R 1 1=EI
    1040 PER S 2 1=IC 3=EM,FX,TE
  > 2010AB S 1
    1015 NM1 R 1 1=87 2=2
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
    1005 SBR R 1 1={_SBR_PLACES} 2=18 9={_FILING} +9
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
      1007 PAT R 1 1=01,19,20,21,39,40,53,G8 +1
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

GUIDE_837I = guide("837I", "837", "005010X223A2", "HC", "\n".join(line for line in TABLE.splitlines() if line.strip()))
