"""Whatever stands in the fields: a message maps to valid FHIR, is filtered, or is unreadable. Nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import fhir_r4
import hl7v2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interface_engine.rules import load_channels
from interface_engine.rules.loading import SYSTEMS
from interface_engine.wire.hl7 import Filtered, Mapped, bundle_of, map_message, map_rows, subject_of
from kernel.errors import Unreadable

NOW = datetime(2026, 3, 20, tzinfo=UTC)
EPIC = load_channels(SYSTEMS / "epic")["epic"]
TEBRA = load_channels(SYSTEMS / "tebra")["tebra"]
MESSAGES = [
    (EPIC, [line for file in sorted((SYSTEMS / "epic" / "samples").iterdir()) for line in [file.read_text()]]),
]
MORE = [
    "MSH|^~\\&|A|B|C|D|20260316||SIU^S12|1|P|2.5\rPID|1||1^^^EPI^MR||X^Y\rSCH|P1|F1||||R|C|N|30|min|^^30^20260401^20260402"
    "\rAIS|1||CODE|202604010900\rAIP|1||1^Doc\rAIL|1||ROOM",
    "MSH|^~\\&|A|B|C|D|20260316||ORU^R01|1|P|2.5\rPID|1||1^^^EPI^MR||X^Y\rOBR|1|P|F|80053^^C4|||2026031608\r"
    "OBX|1|NM|1^A^LN||1|mg|1-2|H|||F|||20260316\rNTE|1||note\rOBX|2|CE|2^B^LN||3^C^LN||||||P",
    "MSH|^~\\&|A|B|C|D|20260316||ORM^O01|1|P|2.5\rPID|1||1^^^EPI^MR||X^Y\rPV1|1|O|C||||1^D||||||||||||9\r"
    "ORC|NW|P1|F1||IP||||20260316|||1^Doc\rOBR|1|P1|F1|72148^^C4\rDG1|1||M54.5^^I10",
    "MSH|^~\\&|A|B|C|D|20260316||BAR^P05|1|P|2.5\rPID|1||1^^^EPI^MR||X^Y|||||||||||||A1\rPV1|1|O|C||||1^D||||||||||||9\r"
    "DG1|1||I10^^I10|||F\rPR1|1||99213^^C4||20260316\rGT1|1|G|Z^Q||1 St^^X||||||OTH\rIN1|1|P|4001|N||||G|||20260101",
    "MSH|^~\\&|A|B|C|D|20260316||MDM^T02|1|P|2.5\rPID|1||1^^^EPI^MR||X^Y\rTXA|1|DS|TX|20260316||20260316||||||D1|||||AU\r"
    "OBX|1|ED|x||^TEXT^PDF^Base64^QUJD||||||F",
    "MSH|^~\\&|A|B|C|D|20260316||RDE^O11|1|P|2.5\rPID|1||1^^^EPI^MR||X^Y\rORC|NW|R1\rRXE||1^D^RXNORM|1||mg|||||20|TAB|2",
    "MSH|^~\\&|A|B|C|D|20260316||ADT^A40|1|P|2.5\rPID|1||1^^^EPI^MR||X^Y\rMRG|2^^^EPI^MR",
]
TEXTS = [*MESSAGES[0][1], *MORE]
PIECES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12),
    st.sampled_from(
        ['""', "^^^", "&&", "~~", "\\T\\", "\\X0A\\", " ", "20261399", "0", "-1", "1e9", "99999999999999999999", "^a^b",
         "a b ", "  a", "http://x y", "2.16.840.1", "Y", "D", "\t", "\x00", "é" * 3,
         "1^2^3^4^5^6^7^8^9^10^11^12^13", "^^^&1.2.3&ISO"]
    ),
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.sampled_from(TEXTS),
    changes=st.lists(st.tuples(st.integers(1, 12), st.integers(1, 50), PIECES), min_size=1, max_size=6),
)
def test_no_field_breaks_a_mapping(text: str, changes: list[tuple[int, int, str]]) -> None:
    lines = [line.split("|") for line in text.split("\r") if line]
    for at, field, piece in changes:
        line = lines[at % len(lines)]
        if line[0] == "MSH" and field < 12:
            continue
        line.extend([""] * (field + 1 - len(line)))
        line[field] = piece
    raw = "\r".join("|".join(line) for line in lines).encode()
    try:
        message = hl7v2.read(raw)
        subject_of(EPIC, message)
        found = map_message(EPIC, message, NOW)
    except Unreadable as error:
        assert error.code
        return
    check(found)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    columns=st.dictionaries(st.sampled_from(TEBRA.csv.columns if TEBRA.csv else ()), PIECES, max_size=10),
    rows=st.integers(1, 3),
)
def test_no_cell_breaks_a_row(columns: dict[str, str], rows: int) -> None:
    basic = {
        "Charge ID": "1",
        "Encounter ID": "E",
        "Patient ID": "P",
        "Procedure Code": "99213",
        "Service Start Date": "20260101",
    }
    try:
        found = map_rows(TEBRA, [{**basic, **columns, "Charge ID": str(number)} for number in range(rows)], NOW)
    except Unreadable as error:
        assert error.code
        return
    check(found)
    assert isinstance(found, Mapped) and len(found.charges) == rows


def check(found: Mapped | Filtered) -> None:
    """Valid FHIR, exact amounts, and every charge with an end that has a name."""
    if isinstance(found, Filtered):
        return
    issues = [issue for issue in fhir_r4.validate(bundle_of(found)) if issue.severity == "error"]
    assert issues == []
    for line in found.charges:
        assert line.amount_cents >= 0 and isinstance(line.quantity, Decimal)
        assert line.disposition in ("charge", "hold", "rejected") and bool(line.reason) == (
            line.disposition != "charge"
        )
        assert bool(line.condition) == (line.disposition != "rejected")
