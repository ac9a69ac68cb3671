"""Whatever is done to a text that was good: findings, never an exception; views raise nothing but their own error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x12 import TransactionSet, ViewError, X12Error, acknowledge, balance, check, describe, read, write
from x12.views.attachment import build_275, read_275
from x12.views.claim import build_837d, build_837i, build_837p, read_837d, read_837i, read_837p
from x12.views.remittance import build_835, read_835
from x12.views.status import build_276, build_277, read_276, read_277
from x12_examples import CLAIMS, ENVELOPE, REMITTANCE
from x12_more_examples import ATTACHMENT, DENTAL, INPATIENT, OUTPATIENT, STATUS_INFO, STATUS_INQUIRY

TEXTS = {
    "837P": build_837p(CLAIMS, ENVELOPE),
    "837I": build_837i([INPATIENT, OUTPATIENT], ENVELOPE),
    "837D": build_837d([DENTAL], ENVELOPE),
    "835": build_835(REMITTANCE, ENVELOPE),
    "276": build_276(STATUS_INQUIRY, ENVELOPE),
    "277": build_277(STATUS_INFO, ENVELOPE),
    "275": build_275(ATTACHMENT, ENVELOPE),
}
READERS = {
    "837P": read_837p, "837I": read_837i, "837D": read_837d, "835": read_835, "276": read_276, "277": read_277,
    "275": read_275,
}  # fmt: skip
_rubbish = st.one_of(
    st.sampled_from(("", "0", "-1", "99999999", "20261399", ":", "::::", "HC:", ":B:", "^", "1^2", "\u00e9", "\u0661")),
    st.text(st.characters(blacklist_characters="*~", blacklist_categories=("Cs",)), max_size=12),
)
_damages = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 20), _rubbish, st.sampled_from("sdim")), max_size=6)


def _damaged(text: str, damages: list[tuple[int, int, str, str]]) -> str:
    """Elements set, segments dropped, doubled or moved; ISA and the delimiters stay."""
    head, *parts = text.split("~")
    for place, element, value, kind in damages:
        at = place % max(len(parts) - 2, 1)
        elements = parts[at].split("*")
        if kind == "d":
            del parts[at]
        elif kind == "i":
            parts.insert(at, parts[at])
        elif kind == "m":
            parts.insert((at * 7) % max(len(parts) - 2, 1), parts.pop(at))
        else:
            elements += [""] * (element + 2 - len(elements))
            elements[element + 1] = value
            parts[at] = "*".join(elements)
    return "~".join([head, *parts])


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(damages=_damages)
def test_no_damage_makes_anything_raise(name: str, damages: list[tuple[int, int, str, str]]) -> None:
    # a document's length decides where the next segment begins, so a 275 is damaged before its documents only
    text = TEXTS[name]
    cut = text.index("LX*") if name == "275" else len(text)
    text = _damaged(text[:cut], damages) + text[cut:]
    try:
        interchanges = list(read(text))
    except X12Error:
        return
    for interchange in interchanges:
        assert write(interchange)
        findings = check(interchange)
        assert all(item.position >= 0 and item.rule and item.path for item in findings)
        acknowledge(interchange, findings)
        for transaction in interchange.sets():
            assert balance(transaction).claims is not None
            _read(name, transaction)
    assert describe(text)


def _read(name: str, transaction: TransactionSet) -> None:
    try:
        READERS[name](transaction)
    except ViewError as error:
        assert error.path


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("837P", "125.5"),
        ("837P", "SVD*PAYER02*70"),
        ("837P", "AMT*D*70"),
        ("837P", "LX*2"),
        ("837P", "SBR*T"),
        ("837I", "0250**600"),
        ("835", "BPR*I*80"),
        ("835", "CAS*PR*1"),
        ("277", "STC*F1:65"),
    ],
)
def test_what_stands_in_the_wrong_place_is_not_shown(name: str, old: str) -> None:
    """A name where an amount, a code or a number belongs does not come out in a finding."""
    text = TEXTS[name]
    assert old in text
    mark = max(old.rfind("*"), old.rfind(":"))
    (interchange,) = read(text.replace(old, old[: mark + 1] + "ORCHARD", 1))
    findings = check(interchange)
    assert findings
    assert not [item for item in findings if "ORCHARD" in f"{item.found}{item.expected}{item.path}{item.rule}"]
