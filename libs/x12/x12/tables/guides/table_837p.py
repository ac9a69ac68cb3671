"""005010X222A1: health care claim, professional."""

from x12.tables.guide_rows import guide

_NM1_NPI = "2=1,2 8=XX"


def _provider(loop: str, qualifiers: str, most: int, position: int, extra: str = "", indent: int = 8) -> str:
    """A provider loop below the claim or the line: NM1, PRV of who renders, and references; `extra` adds lines."""
    pad = " " * indent
    lines = [f"{pad}> {loop} S {most}", f"{pad}  {position} NM1 R 1 1={qualifiers} {_NM1_NPI}"]
    lines += [f"{pad}  {position + 50} PRV S 1 1=PE 2=PXC"] if qualifiers == "82" else []
    reference = f"{position + (210 if position < 5000 else 250)} REF S 20 1=0B,1G,G2,LU"
    rest = sorted([reference, *(line for line in extra.split("|") if line)])
    lines += [f"{pad}  {line}" for line in rest]
    return "\n".join(lines) + "\n"


_PLACE = "{0} N3 R 1|{1} N4 R 1"

_LINE = (
    """
        > 2400 R 50
          3650 LX R 1
          3700 SV1 R 1 1.1=ER,HC,IV,WK +2 3=MJ,UN +3 +4 +7 -6 -8 -10 -14 9=Y 11=Y 12=Y 15=0
          4000 SV5 S 1 1.1=HC 2=DA +3
          4200 PWK S 11
          4250 CR1 S 1 1=LB 3=A,B,C,D,E 5=DH
          4350 CR3 S 1 1=I,R,S 2=MO
          4500 CRC S 3 1=07
          4500 CRC S 1 1=70
          4500 CRC S 1 1=09
          4550 DTP R 1 1=472 2=D8,RD8
          4550 DTP S 1 1=471/607/463/461/304/738,739/011/455/454 2=D8
          4600 QTY S 1 1=PT/FL
          4620 MEA S 5
          4650 CN1 S 1
          4700 REF S 1 1=9B/9D/G1/6R/EW/X4/F4/BT/9F
          4750 AMT S 1 1=T/F4
          4800 K3 S 10
          4850 NTE S 1 1=ADD,DCP
          4850 NTE S 1 1=TPO
          4880 PS1 S 1
          4920 HCP S 1
          > 2410 S 1
            4930 LIN R 1 2=EN,EO,HI,N4,ON,UK,UP
            4940 CTP R 1 +4 +5 5.1=F2,GR,ME,ML,UN
            4950 REF S 1 1=VY,XZ
"""
    + _provider("2420A", "82", 1, 5000, "", 10)
    + _provider("2420B", "QB", 1, 5000, "", 10)
    + _provider("2420C", "77", 1, 5000, _PLACE.format(5140, 5200), 10)
    + _provider("2420D", "DQ", 1, 5000, "", 10)
    + _provider("2420E", "DK", 1, 5000, "5140 N3 S 1|5200 N4 S 1|5300 PER S 1 1=IC", 10)
    + _provider("2420F", "DN,P3", 2, 5000, "", 10)
    + """
          > 2420G S 1
            5000 NM1 R 1 1=PW
            5140 N3 R 1
            5200 N4 R 1
          > 2420H S 1
            5000 NM1 R 1 1=45
            5140 N3 R 1
            5200 N4 R 1
          > 2430 S 15
            5400 SVD R 1 3.1=ER,HC,HP,IV,WK +5
            5450 CAS S 5 1=CO,CR,OA,PI,PR
            5500 DTP R 1 1=573 2=D8
            5505 AMT S 1 1=EAF
          > 2440 S *
            5510 LQ R 1 1=AS,UT
            5520 FRM R 99
"""
)

_CLAIM = (
    """
    > 2300 S 100
        1300 CLM R 1 +1 +2 +5 5.2=B +5.2 +5.3 6=N,Y +6 7=A,B,C +7 8=N,W,Y +8 9=I,Y +9 10=P 11.1=AA,EM,OA \
          20=1,2,3,4,5,6,7,8,9,10,11,15
        1350 DTP S 1 1=431/454/304/453/439/484/455/471/314,360,361/297/296/435/096/090/091/444/050
        1550 PWK S 10 1=03,04,05,06,07,08,09,10,11,13,15,21,A3,A4,AM,AS,B2,B3,B4,BR,BS,BT,CB,CK,CT,D2,DA,DB,DG,DJ,\
DS,EB,HC,HR,I5,IR,LA,M1,MT,NN,OB,OC,OD,OE,OX,OZ,P4,P5,PE,PN,PO,PQ,PY,PZ,RB,RR,RT,RX,SG,V5,XP 2=AA,BM,EL,EM,FT,FX
        1600 CN1 S 1 1=02,03,04,05,06,09
        1750 AMT S 1 1=F5
        1800 REF S 1 1=4N/F5/EW/9F/G1/F8/X4/9A/9C/LX/D9/EA/P4/1J
        1850 K3 S 10
        1900 NTE S 1 1=ADD,CER,DCP,DGN,TPO
        1950 CR1 S 1 1=LB 3=A,B,C,D,E 5=DH
        2000 CR2 S 1
        2200 CRC S 3 1=07
        2200 CRC S 3 1=E1,E2,E3
        2200 CRC S 1 1=75
        2200 CRC S 1 1=ZZ
        2310 HI R 1 1.1=ABK,BK 2.1=ABF,BF 3.1=ABF,BF 4.1=ABF,BF 5.1=ABF,BF 6.1=ABF,BF 7.1=ABF,BF 8.1=ABF,BF \
          9.1=ABF,BF 10.1=ABF,BF 11.1=ABF,BF 12.1=ABF,BF
        2310 HI S 1 1.1=BP 2.1=BO
        2310 HI S 2 1.1=BG
        2410 HCP S 1
"""
    + _provider("2310A", "DN,P3", 2, 2500)
    + _provider("2310B", "82", 1, 2500)
    + _provider("2310C", "77", 1, 2500, _PLACE.format(2650, 2700) + "|2750 PER S 1 1=IC")
    + _provider("2310D", "DQ", 1, 2500)
    + """
        > 2310E S 1
          2500 NM1 R 1 1=PW
          2650 N3 R 1
          2700 N4 R 1
        > 2310F S 1
          2500 NM1 R 1 1=45
          2650 N3 R 1
          2700 N4 R 1
        > 2320 S 10
          2900 SBR R 1 1=A,B,C,D,E,F,G,H,P,S,T,U +2 +9
          2950 CAS S 5 1=CO,CR,OA,PI,PR
          3000 AMT S 1 1=D/EAF/A8
          3100 OI R 1 +3 +6
          3200 MOA S 1
          > 2330A R 1
            3250 NM1 R 1 1=IL 2=1,2 8=II,MI +8 +9
            3320 N3 S 1
            3400 N4 S 1
            3550 REF S 2 1=SY
          > 2330B R 1
            3250 NM1 R 1 1=PR 2=2 8=PI,XV +8 +9
            3320 N3 S 1
            3400 N4 S 1
            3500 DTP S 1 1=573 2=D8
            3550 REF S 2 1=2U,EI,FY,NF
            3550 REF S 1 1=G1/9F/T4/F8
          > 2330C S 2
            3250 NM1 R 1 1=DN,P3
            3550 REF R 3
          > 2330D S 1
            3250 NM1 R 1 1=82
            3550 REF R 3
          > 2330E S 1
            3250 NM1 R 1 1=77
            3550 REF R 3
          > 2330F S 1
            3250 NM1 R 1 1=DQ
            3550 REF R 3
          > 2330G S 1
            3250 NM1 R 1 1=85
            3550 REF R 2
"""
    + _LINE
)


def _deeper(table: str) -> str:
    return "\n".join("  " + line for line in table.splitlines() if line.strip())


TABLE = (
    """
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
    1005 SBR R 1 1=A,B,C,D,E,F,G,H,P,S,T,U 2=18 5=12,13,14,15,16,41,42,43,47 +9 \
      9=11,12,13,14,15,16,17,AM,BL,CH,CI,DS,FI,HM,LM,MA,MB,MC,OF,TV,VA,WC,ZZ
    1007 PAT S 1 5=D8 7=01 9=Y
    > 2010BA R 1
      1015 NM1 R 1 1=IL 2=1,2 +3 8=II,MI
      1025 N3 S 1
      1030 N4 S 1
      1032 DMG S 1 1=D8 +2 3=F,M,U +3
      1035 REF S 1 1=SY/Y4
      1040 PER S 1 1=IC
    > 2010BB R 1
      1015 NM1 R 1 1=PR 2=2 +3 8=PI,XV +8 +9
      1025 N3 S 1
      1030 N4 S 1
      1035 REF S 3 1=2U,EI,FY,NF
      1035 REF S 2 1=G2,LU
"""
    + _CLAIM
    + """
    > 2000C S *
      1001 HL R 1 3=23 4=0 +2 +4
      1007 PAT R 1 1=01,19,20,21,39,40,53,G8 +1 5=D8 7=01 9=Y
      > 2010CA R 1
        1015 NM1 R 1 1=QC 2=1 +3 -8 -9
        1025 N3 R 1
        1030 N4 R 1
        1032 DMG R 1 1=D8 +2 3=F,M,U +3
        1035 REF S 1 1=Y4/1W,SY
        1040 PER S 1 1=IC
"""
    + _deeper(_CLAIM)
    + """
5550 SE R 1
"""
)

GUIDE_837P = guide("837P", "837", "005010X222A1", "HC", "\n".join(line for line in TABLE.splitlines() if line.strip()))
