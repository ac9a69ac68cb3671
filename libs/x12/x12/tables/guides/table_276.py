"""005010X212: health care claim status request, and its response."""

from x12.tables.guide_rows import guide

_LINE_CODES = "AD,ER,HC,HP,IV,N4,NU,WK"


def _deeper(table: str, by: int) -> str:
    return "".join(" " * by + line + "\n" for line in table.splitlines() if line.strip())


def _asked(letter: str, usage: str) -> str:
    """Loops 2200 and 2210 of a request."""
    return f"""
> 2200{letter} {usage} *
  0900 TRN R 1 1=1
  1000 REF S 1 1=1K/BLT/LU/6P/EJ/XZ/D9
  1100 AMT S 1 1=T3
  1200 DTP S 1 1=472 2=D8,RD8
  > 2210{letter} S *
    1300 SVC R 1 1.1={_LINE_CODES} +2 +7
    1400 REF S 1 1=FJ
    1500 DTP R 1 1=472 2=D8,RD8
"""


def _answered(letter: str, usage: str) -> str:
    """Loops 2200 and 2220 of a response."""
    return f"""
> 2200{letter} {usage} *
  0900 TRN R 1 1=2
  1000 STC R * +2
  1100 REF S 1 1=1K/BLT/EJ/XZ/VV/D9
  1200 DTP S 1 1=472 2=D8,RD8
  > 2220{letter} S *
    1800 SVC R 1 1.1={_LINE_CODES} +2 +3 +7
    1900 STC R * +2
    2000 REF S 1 1=FJ
    2100 DTP R 1 1=472 2=D8,RD8
"""


def _levels(purpose: str, reply: bool) -> str:
    contact = "    0800 PER S 1 1=IC 3=ED,EM,FX,TE +3 +4" if reply else ""
    submitter = "    > 2200B S 1\n      0900 TRN R 1 1=2\n      1000 STC R * +2" if reply else ""
    provider = "      > 2200C S 1\n        0900 TRN R 1 1=1\n        1000 STC R * +2" if reply else ""
    held = _answered if reply else _asked
    return (
        f"""
0100 ST R 1 1={"277" if reply else "276"} +3
0200 BHT R 1 1=0010 2={purpose} +3 +4 +5
> 2000A R *
  0300 HL R 1 3=20 4=1 +4 -2
  > 2100A R 1
    0500 NM1 R 1 1=PR 2=2 +3 8=PI,XV +8 +9
{contact}
  > 2000B R *
    0300 HL R 1 3=21 4=0,1 +2 +4
    > 2100B R 1
      0500 NM1 R 1 1=41 2=1,2 8=46 +8 +9
{submitter}
    > 2000C {"S" if reply else "R"} *
      0300 HL R 1 3=19 4=0,1 +2 +4
      > 2100C R 2
        0500 NM1 R 1 1=1P 2=1,2 8=FI,SV,XX +8 +9
{provider}
      > 2000D {"S" if reply else "R"} *
        0300 HL R 1 3=22 4=0,1 +2 +4
{"" if reply else "        0400 DMG S 1 1=D8 +2 3=F,M,U"}
        > 2100D R 1
          0500 NM1 R 1 1=IL 2=1,2 +3 8=24,II,MI +8 +9
"""
        + _deeper(held("D", "S"), 8)
        + f"""
        > 2000E S *
          0300 HL R 1 3=23 +2
{"" if reply else "          0400 DMG R 1 1=D8 +2 3=F,M,U"}
          > 2100E R 1
            0500 NM1 R 1 1=QC 2=1 +3 -8 -9
"""
        + _deeper(held("E", "R"), 10)
        + "2700 SE R 1\n"
    )


def _lines(table: str) -> str:
    return "\n".join(line for line in table.splitlines() if line.strip())


GUIDE_276 = guide("276", "276", "005010X212", "HR", _lines(_levels("13", False)))
GUIDE_277 = guide("277", "277", "005010X212", "HN", _lines(_levels("08", True)))
