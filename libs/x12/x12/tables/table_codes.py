"""External codes by their form, and the short closed lists: facts only, no descriptions."""

from __future__ import annotations

import re

STATES = frozenset(
    """AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR
    PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI UM FM MH PW AA AE AP
    AB BC MB NB NL NS NT NU ON PE QC SK YT""".split()  # noqa: SIM905 a table reads better than a list
)
PLACES_OF_SERVICE = frozenset(
    """01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 31 32 33 34 41 42 49 50 51 52 53
    54 55 56 57 58 60 61 62 65 66 71 72 81 99""".split()  # noqa: SIM905 a table reads better than a list
)
ICD10CM = re.compile(r"[A-TV-Z]\d[0-9A-Z][0-9A-Z]{0,4}|U\d[0-9A-Z][0-9A-Z]{0,4}")
HCPCS = re.compile(r"\d{4}[0-9AFTUM]|[A-VY]\d{4}")
ICD9CM = re.compile(r"\d{3,5}|V\d{2,4}|E\d{3,4}")
ICD10PCS = re.compile(r"[0-9A-HJ-NP-Z]{7}")
# 45 CFR 162.1002: services from this day on are coded in ICD-10
ICD10CM_SINCE = "20151001"
BILL_TYPES = frozenset(
    """11 12 13 14 18 21 22 23 28 32 33 34 41 43 65 66 71 72 73 74 75 76 77 78 79 81 82 83 84 85 86 87 89""".split()  # noqa: SIM905 a table reads better than a list
)
_LAST_REMARKS = {"N": 895, "M": 144, "MA": 134}
_LETTERS = {"A": (0, 8), "B": (1, 23), "D": (1, 23), "P": (1, 32), "W": (1, 9), "Y": (1, 3)}
_HIGHEST_CARC = 311


def is_carc(code: str) -> bool:
    """Whether a claim adjustment reason code can exist: 1 to the highest given out, or a lettered one."""
    if code.isascii() and code.isdigit():
        return code[0] != "0" and int(code) <= _HIGHEST_CARC
    least, most = _LETTERS.get(code[:1], (1, 0))
    rest = code[1:]
    return rest.isascii() and rest.isdigit() and str(int(rest)) == rest and least <= int(rest) <= most


def is_past_remark(code: str) -> bool:
    """Whether a remark code has the form of one and lies past the last that the shipped list knows."""
    letters, number = code.rstrip("0123456789"), code.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return letters in _LAST_REMARKS and number.isascii() and number.isdigit() and int(number) > _LAST_REMARKS[letters]


def is_npi(text: str) -> bool:
    """Ten digits, first 1 or 2, check digit by Luhn over 80840 and the number (45 CFR 162.406)."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()) or text[0] not in "12":
        return False
    # 24 is the Luhn sum of the prefix 80840
    total = 24
    for at, digit in enumerate(text[:9]):
        value = int(digit) * (2 if at % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return (10 - total % 10) % 10 == int(text[9])
