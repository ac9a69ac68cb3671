"""What happens at the visits, as rows. Codes only; which of them go together was checked against NCCI 2024.

Diagnoses fit the service and stand in claim order. `sex` F or M where the service or the diagnosis asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass

LEFT, RIGHT, BOTH = "7771000", "24028007", "51440002"
SIDE_MODIFIER = {LEFT: "LT", RIGHT: "RT", BOTH: "50"}

LOW = ("low", "limited", "low")
MODERATE = ("moderate", "moderate", "moderate")
HIGH = ("high", "extensive", "high")
MINIMAL = ("minimal", "minimal", "minimal")
# problems, data, risk that support the level, and the minutes that do not say more.
DOCUMENTATION = {
    "99202": (MINIMAL, 15),
    "99203": (LOW, 30),
    "99204": (MODERATE, 45),
    "99205": (HIGH, 60),
    "99212": (MINIMAL, 10),
    "99213": (LOW, 20),
    "99214": (MODERATE, 30),
    "99215": (HIGH, 40),
    "99282": (MINIMAL, 0),
    "99283": (LOW, 0),
    "99284": (MODERATE, 0),
    "99285": (HIGH, 0),
}


@dataclass(frozen=True, slots=True)
class Done:
    """A service performed: code, units, side of the body, and which diagnosis (0-based) it was for."""

    code: str
    units: int = 1
    side: str = ""
    reason: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: evaluation chosen (empty for none), diagnoses, and everything done."""

    evaluation: str
    diagnoses: tuple[str, ...]
    done: tuple[Done, ...] = ()
    labs: tuple[str, ...] = ()
    drugs: tuple[Done, ...] = ()
    vaccines: tuple[str, ...] = ()
    where: str = "AMB"
    sex: str = ""
    payers: str = "AB"
    documented: tuple[tuple[str, str, str], int] | None = None


def _v(evaluation: str, diagnoses: str, done: tuple[Done, ...] = (), labs: str = "", **more: object) -> Visit:
    return Visit(evaluation, tuple(diagnoses.split()), done, tuple(labs.split()), **more)  # type: ignore[arg-type]


OFFICE = (
    _v("99212", "J06.9"),
    _v("99213", "I10 E78.5"),
    _v("99213", "J02.9"),
    _v("99213", "M54.50"),
    _v("99213", "L30.9"),
    _v("99213", "K21.9"),
    _v("99213", "J30.9"),
    _v("99213", "G43.909"),
    _v("99213", "H10.9"),
    _v("99213", "B34.9 R05.9"),
    _v("99213", "M79.10 M54.2"),
    _v("99213", "G47.33 E66.9 Z68.31"),
    _v("99213", "R42"),
    _v("99214", "E11.65 I10 E78.2"),
    _v("99214", "E11.40 E11.21 Z79.4"),
    _v("99214", "J44.1 F17.210"),
    _v("99214", "I25.10 I10 Z79.899"),
    _v("99214", "F32.1 F41.1"),
    _v("99214", "I48.91"),
    _v("99214", "J45.901"),
    _v("99214", "K57.32"),
    _v("99215", "I50.9 N18.30"),
    _v("99202", "B35.1"),
    _v("99203", "M25.561"),
    _v("99203", "M17.12 M17.11"),
    _v("99204", "R07.9 I10"),
    _v("99204", "E03.9 R53.83"),
    _v("99205", "I50.9 I48.91 N18.31"),
    _v("99213", "N40.1 R35.0", sex="M"),
    _v("99213", "M10.9"),
    _v("99213", "L20.9 L70.0"),
    _v("99213", "K58.9 K59.00"),
    _v("99214", "E11.42 B35.1"),
    _v("99214", "R94.31 R55"),
)

LABS = (
    _v("99213", "E11.9 I10", (Done("36415"),), "80053 83036"),
    _v("99214", "E11.65 E78.5", (Done("36415"),), "80053 83036 80061"),
    _v("99214", "E11.21", (Done("36415"),), "80053 83036 82043 82570"),
    _v("99213", "E03.9", (Done("36415"),), "84443 84439"),
    _v("99213", "I10", (Done("36415"),), "80048"),
    _v("99213", "D64.9", (Done("36415"),), "85025 82728 83540 83550"),
    _v("99213", "D50.9", (Done("36415"),), "85027 82728"),
    _v("99213", "E78.2", (Done("36415"),), "80061 84460"),
    _v("99214", "R53.83 E55.9 E53.8", (Done("36415"),), "80053 85025 84443 82306 82607"),
    _v("99213", "R30.0", (), "81003 87086"),
    _v("99213", "N39.0", (), "81001 87086"),
    _v("99213", "J02.9", (), "87880"),
    _v("99213", "J02.9 R50.9", (), "87651"),
    _v("99213", "J06.9 R50.9", (), "87637"),
    _v("99213", "R05.9 R50.9", (), "87502"),
    _v("99213", "M10.9", (Done("36415"),), "84550"),
    _v("99213", "M25.561 M25.562", (Done("36415"),), "85652 86140 86431 86038"),
    _v("99213", "I48.91", (Done("36415"),), "85610"),
    _v("99213", "R73.03", (Done("36415"),), "82947 83036"),
    _v("99214", "N18.30", (Done("36415"),), "80053 84100 83735"),
    _v("99213", "K21.9 R10.9", (Done("36415"),), "80053 83690"),
    _v("99214", "I50.9", (Done("36415"),), "80048 83880"),
    _v("99213", "N40.1", (Done("36415"),), "84153", sex="M"),
    _v("99213", "E29.1", (Done("36415"),), "84403 85018", sex="M"),
    _v("99213", "Z11.3", (), "87491 87591"),
    _v("99213", "Z11.59", (Done("36415"),), "86803 87389"),
    _v("99214", "I10", (Done("93000"), Done("36415")), "80061"),
    _v("99213", "R31.9", (), "81001 87088"),
    _v("99213", "Z12.11", (), "82274"),
)

LAB_ONLY = (
    _v("", "E11.9", (Done("36415"),), "80053 83036"),
    _v("", "E78.5", (Done("36415"),), "80061"),
    _v("", "I48.91", (Done("36415"),), "85610"),
    _v("", "E03.9", (Done("36415"),), "84443"),
    _v("", "D64.9", (Done("36415"),), "85025 82746 82607"),
    _v("", "R73.03", (Done("36415"),), "83036"),
)

INJECTIONS = (
    _v("99213", "E53.8", (Done("96372"),), drugs=(Done("J3420"),)),
    _v("99213", "M54.50", (Done("96372"),), drugs=(Done("J1885", 2),)),
    _v("99213", "J20.9", (Done("96372"),), drugs=(Done("J1100", 8),)),
    _v("99214", "J18.9", (Done("96372"),), drugs=(Done("J0696", 4),)),
    _v("99213", "L03.115", (Done("96372"),), drugs=(Done("J0696", 4),)),
    _v("99213", "L03.116", (Done("96372"),), drugs=(Done("J0696", 4),)),
    _v("99213", "R11.2", (Done("96372"),), drugs=(Done("J2405", 4),)),
    _v("99213", "J30.9", (Done("96372"),), drugs=(Done("J3301", 4),)),
    _v("99213", "T78.40XA", (Done("96372"),), drugs=(Done("J1200"),)),
    _v("99213", "G43.909", (Done("96372"),), drugs=(Done("J2550", 1),)),
    _v("99213", "E29.1", (Done("96372"),), drugs=(Done("J1071", 200),), sex="M"),
    _v("", "E53.8", (Done("96372"),), drugs=(Done("J3420"),)),
    _v("99213", "D50.9", (Done("96365"),), drugs=(Done("J1756", 200),)),
    _v("99213", "J45.901", (Done("94640"),), drugs=(Done("J7613", 3),)),
)

JOINTS = (
    _v("99213", "M17.11", (Done("20610", side=RIGHT),), drugs=(Done("J3301", 4),)),
    _v("99213", "M17.12", (Done("20610", side=LEFT),), drugs=(Done("J3301", 4),)),
    _v("99204", "M25.511 M75.41", (Done("20610", side=RIGHT), Done("73030", side=RIGHT)), drugs=(Done("J3301", 4),)),
    _v("", "M75.42", (Done("20610", side=LEFT),), drugs=(Done("J1010", 80),)),
    _v("", "M17.11 M17.12", (Done("20610", side=BOTH),), drugs=(Done("J3301", 8),)),
    _v("99213", "M25.461", (Done("20610", side=RIGHT),), drugs=(Done("J0702", 4),)),
    _v("99213", "M62.838", (Done("20553"),), drugs=(Done("J1010", 40),)),
)

PROCEDURES = (
    _v("99213", "L57.0", (Done("17000"), Done("17003", 3))),
    _v("99213", "L57.0", (Done("17000"),)),
    _v("99213", "B07.9", (Done("17110"),)),
    _v("99213", "H61.23", (Done("69210"),)),
    _v("99213", "L02.415", (Done("10060"),)),
    _v("99214", "D48.5 L82.1", (Done("11102"),)),
    _v("99203", "D22.5", (Done("11102"),)),
    _v("99213", "L72.0", (Done("10060"),)),
    _v("99213", "J45.909", (Done("94010"),)),
    _v("99214", "J44.9", (Done("94060"),)),
    _v("99213", "R04.0", (Done("30901", side=RIGHT),)),
    _v("99213", "Z30.433", (Done("58301"),), sex="F"),
    _v("99213", "R35.0", (Done("51798"),)),
)

IMMUNIZATIONS = (
    _v("99213", "I10 Z23", (Done("90471", reason=1),), vaccines=("90715",), payers="A"),
    _v("99213", "J30.9 Z23", (Done("90471", reason=1),), vaccines=("90656",), payers="A"),
    _v("", "Z23", (Done("90471"),), vaccines=("90750",), payers="A"),
    _v("", "Z23", (Done("90471"),), vaccines=("90746",), payers="A"),
    _v("", "Z23", (Done("90471"), Done("90472")), vaccines=("90715", "90707"), payers="A"),
    _v("", "Z23", (Done("G0008"),), vaccines=("90662",), payers="B"),
    _v("99213", "I10 Z23", (Done("G0008", reason=1),), vaccines=("90662",), payers="B"),
    _v("", "Z23", (Done("G0009"),), vaccines=("90677",), payers="B"),
    _v("", "Z23", (Done("90471"),), vaccines=("90714",), payers="A"),
)

IMAGING = (
    _v("", "M25.511", (Done("73030", side=RIGHT),)),
    _v("", "M25.512", (Done("73030", side=LEFT),)),
    _v("", "M25.561", (Done("73562", side=RIGHT),)),
    _v("", "M25.562", (Done("73562", side=LEFT),)),
    _v("99213", "M25.562", (Done("73560", side=LEFT),)),
    _v("99213", "S93.401A", (Done("73610", side=RIGHT),)),
    _v("99213", "S60.511A", (Done("73130", side=RIGHT),)),
    _v("99213", "R05.9", (Done("71046"),)),
    _v("99214", "R07.89", (Done("93000"), Done("71046"))),
    _v("", "M54.2", (Done("72040"),)),
    _v("", "M54.50", (Done("72100"),)),
    _v("", "Z12.31", (Done("77067"), Done("77063")), sex="F"),
    _v("", "M81.0", (Done("77080"),)),
    _v("", "R10.9", (Done("76700"),)),
    _v("", "R16.0", (Done("76705"),)),
    _v("", "N20.0", (Done("76770"),)),
    _v("", "E04.1", (Done("76536"),)),
    _v("", "R10.31", (Done("76856"),), sex="F"),
    _v("", "I50.9", (Done("93306"),)),
    _v("", "R42 R55", (Done("93880"),)),
    _v("", "R60.0", (Done("93970"),)),
    _v("", "G44.209", (Done("70450"),)),
    _v("", "R91.1", (Done("71250"),)),
    _v("", "K59.00", (Done("74018"),)),
)

ADVANCED_IMAGING = (
    _v("", "G43.909", (Done("70551"),)),
    _v("", "R41.3", (Done("70551"),)),
    _v("", "G40.909", (Done("70553"),)),
    _v("", "R51.9", (Done("70552"),)),
    _v("", "M51.26 M54.16", (Done("72148"),), payers="A"),
    _v("", "M48.061 M54.17", (Done("72148"),), payers="A"),
    _v("", "R91.1", (Done("71260"),), payers="A"),
    _v("", "C34.90", (Done("71260"),), payers="A"),
    _v("", "R10.9", (Done("74177"),), payers="A"),
    _v("", "K57.32", (Done("74177"),), payers="A"),
)

DRUGS_AUTHORIZED = (_v("", "M81.0", (Done("96372"),), drugs=(Done("J0897", 60),)),)

EMERGENCY = (
    _v("99282", "S00.83XA", where="EMER"),
    _v("99283", "R10.32", where="EMER"),
    _v("99283", "S61.411A", (Done("12001"),), where="EMER"),
    _v("99283", "S61.412A", (Done("12002"),), where="EMER"),
    _v("99284", "R07.9", (Done("93010"),), where="EMER"),
    _v("99284", "R55", (Done("93010"),), where="EMER"),
    _v("99284", "N13.2", where="EMER"),
    _v("99283", "S52.501A", (Done("29125", side=RIGHT),), where="EMER"),
    _v("99284", "S01.01XA", (Done("12001"),), where="EMER"),
    _v("99285", "J96.01 J18.9", where="EMER"),
    _v("99285", "I16.0 I10", (Done("93010"),), where="EMER"),
    _v("99283", "K52.9", where="EMER"),
    _v("99283", "A09", where="EMER"),
)

TELEHEALTH = (
    _v("99213", "J01.90", where="VR"),
    _v("99213", "I10", where="VR"),
    _v("99214", "F41.1 F33.1", where="VR"),
    _v("99213", "E11.9", where="VR"),
    _v("99212", "J06.9", where="VR"),
    _v("99214", "F32.1", where="VR"),
    _v("", "F43.10", (Done("90834"),), where="VR"),
    _v("", "F41.1", (Done("90837"),), where="VR"),
)

BEHAVIORAL = (
    _v("", "F41.1", (Done("90834"),)),
    _v("", "F33.1", (Done("90837"),)),
    _v("", "F43.23", (Done("90832"),)),
    _v("", "F43.10", (Done("90791"),)),
    _v("", "F31.9", (Done("90834"),)),
    _v("99213", "F90.0", (Done("96127"),)),
    _v("99214", "F33.1", (Done("96127", units=2),)),
)

WELLNESS = (
    _v("", "Z00.00", (Done("G0439"),), payers="B"),
    _v("", "Z00.00", (Done("G0438"),), payers="B"),
    _v("", "Z00.00", (Done("G0439"), Done("G0444")), payers="B"),
    _v("", "Z00.00 Z23", (Done("G0439"), Done("G0008", reason=1)), vaccines=("90662",), payers="B"),
)

CLEAN = (
    ("office-visit", 20, OFFICE),
    ("office-labs", 16, LABS),
    ("office-injection", 7, INJECTIONS),
    ("office-joint-injection", 4, JOINTS),
    ("office-procedure", 6, PROCEDURES),
    ("immunization", 5, IMMUNIZATIONS),
    ("imaging-plain", 8, IMAGING),
    ("imaging-authorized", 5, ADVANCED_IMAGING),
    ("drug-authorized", 1, DRUGS_AUTHORIZED),
    ("emergency", 6, EMERGENCY),
    ("telehealth", 5, TELEHEALTH),
    ("behavioral", 3, BEHAVIORAL),
    ("wellness", 2, WELLNESS),
    ("lab-only", 2, LAB_ONLY),
)
