"""Segments: one row each, element numbers in order with the standard's own requirement and syntax notes.

"!" marks a mandatory element, "*n" one that may repeat n times. A syntax note is a letter and two-digit element
positions: P all or none, R at least one, E at most one, C the first demands the others, L the first demands one of
the others.
"""

from __future__ import annotations

from typing import NamedTuple

from x12.tables.elements import COMPOSITES, ELEMENTS, Element


class Field(NamedTuple):
    """One element position: `parts` are the elements of a composite, or one element."""

    reference: str
    mandatory: bool
    repeats: int
    composite: bool
    parts: tuple[Element, ...]
    required_parts: tuple[bool, ...]
    notes: tuple[Note, ...]


class Note(NamedTuple):
    """A syntax note."""

    kind: str
    positions: tuple[int, ...]


class Row(NamedTuple):
    """A segment."""

    id: str
    fields: tuple[Field, ...]
    notes: tuple[Note, ...]


_CAS = " ".join(["1034 782 380"] * 5)
_PLB = " ".join(["C042 782"] * 5)
_HI = " ".join(["C022"] * 11)
_ROWS = f"""
ISA I01! I02! I03! I04! I05! I06! I05! I07! I08! I09! I65! I11! I12! I13! I14! I15!
IEA I16! I12!
TA1 I12! I08! I09! I17! I18!
GS 479! 142! 124! 373! 337! 28! 455! 480!
GE 97! 28!
ST 143! 329! 1705
SE 96! 329!
AAA 1073! 559 901 889
AK1 479! 28! 480
AK2 143! 329! 1705
AK3 721! 719! 447 720
AK4 C030! 725 723! 724
AK5 717! 718 718 718 718 718
AK9 715! 97! 123! 2! 716 716 716 716 716
AMT 522! 782! 478
BDS 1570! 784! 785!
BGN 353! 127! 373! 337 623 127 640 306 786 | C0504
BHT 1005! 353! 127 373 337 640
BIN 784! 785!
BPR 305! 782! 478! 591! 812 506 507 569 508 509 510 506 507 569 508 373 1048 506 507 569 508 | P0607 C0809 P1213 \
  C1415 P1819 C2021
CAS 1033! 1034! 782! 380 {_CAS} | L050607 C0605 C0705 L080910 C0908 C1008 L111213 C1211 C1311 L141516 C1514 C1614 \
  L171819 C1817 C1917
CAT 755! 756! 799
CL1 1315 1314 1352 1345
CLM 1028! 782 1032 1343 C023 1073 1359 1073 1363 1351 C024 1366 1073 1338 1073 1360 1029 1073 1383 1514
CLP 1028! 1029! 782! 782! 782 1032 127 1331 1325 1352 1354 380 954 1073
CN1 1166! 782 332 127 338 799
CR1 355 81 1316 1317 355 380 166 166 352 352 | P0102 P0506
CR2 609 380 1367 1367 355 380 380 1342 1073 352 352 1073 | P0102 C0403 P0506
CR3 1322 355 380 1335 352 | P0203
CR4 C034 352
CR5 1382 380 1348 1348 352 380 380 380 1349 380 352 1350 1350 1350 380 1382 1382 1382
CR6 923! 373! 1250 1251 373 1073 1073 1322! 373 235 1137 373 373 373 1250 1251 1384 373 373 373 373 | P0304 \
  P091011 P151617
CRC 1136! 1073! 1321! 1321 1321 1321 1321
CTP 687 236 212 380 C001 648 649 782 639 499 289 | P0405 C0607 C0902 C1002 C1103
CTX C998*10 721 719 447 C030 C999
CUR 98! 100! 280 98 100 669 374 373 337 374 373 337 374 373 337 374 373 337 374 373 337
DMG 1250 1251 1068 1067 C056*10 1066 26 659 380 1270 1271 | P0102 P1011 C1105
DN1 380 380 1073 352
DN2 127! 1368! 380 1250 1251 1270 | P0405
DTM 374! 373 337 623 1250 1251 | R020305 C0403 P0506
DTP 374! 1250! 1251!
EB 1390! 1207 1365*99 1336 1204 615 782 954 673 380 1073 1073 C003 C004 | P0910
EFI 786! 933 797 799 802 799
EQ 1365*99 C003 1207 1336 C004 | R0102
FRM 350! 1073 127 373 332 | R02030405
HCP 1473 782 782 127 118 127 782 234 235 234 355 380 901 1526 1527 | R0113 P0910 P1112
HCR 306! 127 1271*5 1073
HI C022! {_HI}
HL 628! 734 735! 736
HSD 673 380 355 1167 615 616 678 679 | P0102 C0605
III 1270 1271 1136 933 380 C001 752 752 752 | P0102 L030405 C0503
IK3 721! 719! 447 620
IK4 C030! 725 621! 724
IK5 717! 618 618 618 618 618
INS 1073! 1069! 875 1203 1216 C052 1218 584 1220 1073 1250 1251 1165 19 156 26 1470 | P1112
K3 449! 1333 C001
LE 447!
LIN 350 235! 234! 235 234 235 234 | P0405 P0607
LQ 1270 1271 | C0102
LS 447!
LX 554!
MEA 737 738 739 C001 740 741 935 936 752 1373 | R03050608
MIA 380! 782 380 782 127 782 782 782 782 782 782 782 782 782 380 782 782 782 782 127 127 127 127 782
MOA 954 782 127 127 127 127 127 782 782
MPI 1201! 584! 1595! 1596 1250 1251 | P0506
MSG 933! 934 1470
N1 98! 93 66 67 706 98 | R0203 P0304
N2 93! 93
N3 166! 166
N4 19 156 116 26 309 310 1715 | E0207 C0605 C0704
NM1 98! 1065! 1035 1036 1037 1038 1039 66 67 706 98 1035 | P0809 C1110 C1203
NTE 363 352!
NX1 98! 98 98 98 98
OI 1032 1383 1073 1351 1360 1363
OOI 350! 1270! 352
PAT 1069 1384 584 1220 1250 1251 355 81 1073 | P0506 P0708
PER 366! 93 365 364 365 364 365 364 443 | P0304 P0506 P0708
PLB 127! 373! C042! 782! {_PLB} | P0506 P0708 P0910 P1112 P1314
PRV 1221! 128 127 156 C035 1223 | P0203
PS1 127! 782! 156
PWK 755! 756 757 98 66 67 352 C002 1525 | P0506
QTY 673! 380 C001 61 | R0204
RDM 756! 93 364 C040 C040
REF 128! 127 352 C040 | R0203
SBR 1138! 1069 127 93 1336 1143 1073 584 1032
STC C043! 373 306 782 782 373 591 373 429 C043 C043 933
SV1 C003! 782 355 380 1331 1365 C004 782 1073 1340 1073 1073 1073 1364 1340 1327 1334 127 116 1337 1360 | P0304
SV2 234 C003 782 355 380 1371 782 1073 1345 1337 | R0102 P0405
SV3 C003! 782 1331 C006 1358 380 352 1327 1360 1073 C004
SV5 C003! 355! 380! 782 782 594 923
SVC C003! 782! 782 234 380 C003 380
SVD 67! 782! C003 234 380 554
TOO 1270 1271 C005 | P0102
TRN 481! 127! 509 127
TS2 782 782 782 782 782 782 380 782 782 380 380 380 380 380 782 782 782 782 782
TS3 127! 1331! 373! 380! 782! 782 782 782 782 782 782 782 782 782 782 782 782 782 782 782 782 782 380 782
UM 1525! 1322 1365 C023 C024 1338 923 1213 1363 1514 
"""
_EXTRA = {
    "61": ("AN", 1, 30), "289": ("R", 1, 10), "609": ("N0", 1, 9), "718": ("ID", 1, 3), "720": ("ID", 1, 3),
    "723": ("ID", 1, 3), "786": ("ID", 2, 2), "797": ("ID", 1, 2), "802": ("AN", 1, 30), "934": ("ID", 2, 2),
    "1201": ("ID", 1, 1), "1216": ("ID", 1, 2), "1218": ("ID", 1, 2), "1348": ("ID", 1, 1), "1349": ("ID", 1, 1),
    "1350": ("ID", 1, 1), "1373": ("ID", 2, 4), "1382": ("ID", 1, 1), "1390": ("ID", 1, 2), "1570": ("ID", 3, 3),
    "1595": ("ID", 1, 1), "1596": ("AN", 1, 80),
}  # fmt: skip
ELEMENTS.update({number: Element(number, *row) for number, row in _EXTRA.items()})
COMPOSITES["C034"] = ("1271! 1271 1271 1271", "")
COMPOSITES["C052"] = ("1218! 1218 1218", "")


def _notes(text: str) -> tuple[Note, ...]:
    return tuple(Note(note[0], tuple(int(note[at : at + 2]) for at in range(1, len(note), 2))) for note in text.split())


def _field(token: str) -> Field:
    name, _, repeats = token.partition("*")
    mandatory, reference = name.endswith("!"), name.rstrip("!")
    if reference not in COMPOSITES:
        return Field(reference, mandatory, int(repeats or 1), False, (ELEMENTS[reference],), (mandatory,), ())
    listing, notes = COMPOSITES[reference]
    tokens = listing.split()
    parts = tuple(ELEMENTS[part.rstrip("!")] for part in tokens)
    required = tuple(part.endswith("!") for part in tokens)
    return Field(reference, mandatory, int(repeats or 1), True, parts, required, _notes(notes))


def _row(line: str) -> Row:
    listing, _, notes = line.partition("|")
    name, *tokens = listing.split()
    return Row(name, tuple(_field(token) for token in tokens), _notes(notes))


SEGMENTS: dict[str, Row] = {row.id: row for row in (_row(line) for line in _ROWS.strip().splitlines())}
