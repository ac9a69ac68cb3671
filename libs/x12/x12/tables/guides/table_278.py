"""005010X217: request for review of health care services, and its response."""

from x12.tables.guide_rows import Guide, guide

_AAA = "AAA S 9 1=N,Y +3"
_ACTIONS = "A1,A2,A3,A4,A6,C,CT,NA"
_EVENT_PROVIDERS = "1T,71,72,73,77,AAJ,DD,DK,DN,DQ,FA,G3,OP,P3,QB,QV,SJ"
_SERVICE_PROVIDERS = "1T,72,73,77,AAJ,DD,DK,DQ,FA,G3,P3,QB,QV,SJ"
_DIAGNOSES = "ABF,ABJ,ABK,APR,BF,BJ,BK,DR,LOI,PR"


_LEVELS = """
0100 ST R 1 1=278 +3
0200 BHT R 1 1=0007 2={purposes} +3 +4 +5
> 2000A R 1
  0100 HL R 1 3=20 -2
  {rejected}
  > 2010A R 1
    1700 NM1 R 1 1=X3 2=1,2 8=24,34,46,PI,XV,XX +8 +9
    2200 PER S 1 1=IC
    {refused}
  > 2000B {below} 1
    0100 HL R 1 3=21 +2
    > 2010B R 1
      1700 NM1 R 1 1=1P,FA 2=1,2 8=24,34,46,XX +8 +9
      1800 REF S 8
      2000 N3 S 1
      2100 N4 S 1
      2200 PER S 1 1=IC
      {refused}
      2400 PRV S 1
    > 2000C {below} *
      0100 HL R 1 3=22 +2
      > 2010C R 1
"""
_PERSON = """
    1700 NM1 R 1 1={entity} 2=1 8=II,MI
    1800 REF S 9
    2000 N3 S 1
    2100 N4 S 1
    {refused}
    2500 DMG S 1
    2600 INS S 1
"""
_DEPENDENT = """
      > 2000D S *
        0100 HL R 1 3=23 +2
        > 2010D R 1
"""
_EVENT = """
> 2000E {required} *
  0100 HL R 1 3=EV +2
  0200 TRN S 3 1=1,2
  {rejected}
  0400 UM {required} 1 1=AR,HS,IN,SC 2=1,2,3,4,I,N,R,S +2
  {decided}
  0600 REF S 1 1=BB/NT
  0700 DTP S 1 1={dates}
  0800 HI S 1 1.1={diagnoses}
  0900 HSD S 1
  1000 CRC S * 1=07,08,11,75,ZZ
  1100 CL1 S 1
  1200 CR1 S 1
  1300 CR2 S 1
  1400 CR5 S 1
  1500 CR6 S 1
  1550 PWK S 10
  1600 MSG S 1
  > 2010EA S 14
    1700 NM1 R 1 1={event_providers}
    1800 REF S 8
    2000 N3 S 1
    2100 N4 S 1
    2200 PER S 1 1=IC
    {refused}
    2400 PRV S 1
  > 2010EB S 5
    1700 NM1 R 1 1=45,FS,ND,PW,R3
    2000 N3 S 1
    2100 N4 S 1
    {refused}
  > 2010EC S 3
    1700 NM1 R 1 1=CA,X3
    1800 REF S 3
    2700 DTP S 1
  > 2000F S *
    0100 HL R 1 3=SS +2
    0200 TRN S 3 1=1,2
    {rejected}
    0400 UM S 1 1=HS,SC
    {decided}
    0600 REF S 1 1=BB/NT
    0700 DTP S 1 1={service_dates}
    0800 HI S 1
    0810 SV1 S 1 1.1=HC,IV,N4,WK,ZZ
    0810 SV2 S 1
    0810 SV3 S 1
    0820 TOO S 32
    0900 HSD S 1
    1550 PWK S 10
    1600 MSG S 1
    > 2010FA S 12
      1700 NM1 R 1 1={service_providers}
      1800 REF S 8
      2000 N3 S 1
      2100 N4 S 1
      2200 PER S 1 1=IC
      {refused}
      2400 PRV S 1
    > 2010FB S 1
      1700 NM1 R 1 1=1I
"""


def _at(depth: int, text: str) -> str:
    return "".join(" " * depth + line + "\n" for line in text.splitlines() if line.strip())


def _event(reply: bool) -> str:
    """Loops 2000E and 2000F; only a response carries AAA, HCR and certification dates."""
    return _EVENT.format(
        rejected=f"0350 {_AAA}" if reply else "",
        decided=f"0500 HCR S 1 1={_ACTIONS}" if reply else "",
        refused=f"2300 {_AAA}" if reply else "",
        required="S" if reply else "R",
        dates="AAH/435/096/439/484/ABC/431/102/036/007" if reply else "AAH/435/096/439/484/ABC/431",
        service_dates="472/102/036/007" if reply else "472",
        event_providers=_EVENT_PROVIDERS,
        service_providers=_SERVICE_PROVIDERS,
        diagnoses=_DIAGNOSES,
    )


def _table(reply: bool) -> str:
    refused = f"2300 {_AAA}" if reply else ""
    return (
        _LEVELS.format(
            purposes="11" if reply else "01,13,36",
            # a response may stop at the level that it refuses
            below="S" if reply else "R",
            rejected=f"0350 {_AAA}" if reply else "",
            refused=refused,
        )
        + _at(4, _PERSON.format(entity="IL", refused=refused))
        + _DEPENDENT
        + _at(6, _PERSON.format(entity="QC", refused=refused))
        + _at(8, _event(reply))
        + _at(6, _event(reply).replace("> 2000E R *", "> 2000E S *"))
        + "5000 SE R 1\n"
    )


def _guide(name: str, reply: bool) -> Guide:
    table = "\n".join(line for line in _table(reply).splitlines() if line.strip())
    return guide(name, "278", "005010X217", "HI", table)


GUIDE_278_REQUEST = _guide("278-request", False)
GUIDE_278_RESPONSE = _guide("278-response", True)
