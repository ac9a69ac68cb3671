"""The E/M calculator: two of three MDM elements, total time, and the comparison with the selected code."""

from __future__ import annotations

import pytest
from coding.rules import Rules
from coding.rules.em import ELEMENTS, Documentation, evaluate_level, mdm_level
from hypothesis import given
from hypothesis import strategies as st
from kernel.errors import Unreadable

OFFICE_OLD, OFFICE_NEW = ("office", False), ("office", True)
WORDS = {name: st.sampled_from(["", *words]) for name, words in ELEMENTS.items()}


@pytest.mark.parametrize(
    ("family", "note", "by_mdm", "by_time", "supported"),
    [
        (OFFICE_OLD, Documentation("low", "limited", "minimal"), "99213", "", "99213"),
        (OFFICE_OLD, Documentation("high", "minimal", "high"), "99215", "", "99215"),
        (OFFICE_OLD, Documentation("high", "minimal", "minimal"), "99212", "", "99212"),
        (OFFICE_OLD, Documentation("moderate", "", "moderate"), "99214", "", "99214"),
        (OFFICE_OLD, Documentation("high", "", ""), "", "", ""),
        (OFFICE_OLD, Documentation(total_minutes=40), "", "99215", "99215"),
        (OFFICE_OLD, Documentation(total_minutes=39), "", "99214", "99214"),
        (OFFICE_OLD, Documentation(total_minutes=9), "", "", ""),
        (OFFICE_OLD, Documentation("low", "limited", "low", 40), "99213", "99215", "99215"),
        (OFFICE_NEW, Documentation("moderate", "moderate", "low", 15), "99204", "99202", "99204"),
        (OFFICE_NEW, Documentation(total_minutes=60), "", "99205", "99205"),
        (("hospital-initial", False), Documentation("low", "limited", "low"), "99221", "", "99221"),
        (("hospital-initial", True), Documentation(total_minutes=75), "", "99223", "99223"),
        (("hospital-subsequent", False), Documentation("moderate", "moderate", "low", 24), "99232", "", "99232"),
        (("emergency", False), Documentation("high", "extensive", "low", 500), "99285", "", "99285"),
    ],
)
def test_levels(
    rules: Rules, family: tuple[str, bool], note: Documentation, by_mdm: str, by_time: str, supported: str
) -> None:
    found = evaluate_level(rules.em.family(*family), note)
    assert (found.by_mdm, found.by_time, found.supported, found.comparison) == (by_mdm, by_time, supported, "none")


@pytest.mark.parametrize(
    ("selected", "comparison"),
    [("99213", "under-coded"), ("99214", "agrees"), ("99215", "over-coded"), ("", "none")],
)
def test_comparison_with_the_selected_code(rules: Rules, selected: str, comparison: str) -> None:
    found = evaluate_level(rules.em.family(*OFFICE_OLD), Documentation("moderate", "moderate", "low"), selected)
    assert found.comparison == comparison
    assert "moderate" in found.because
    assert "99214" in found.because


def test_nothing_documented_supports_and_compares_nothing(rules: Rules) -> None:
    found = evaluate_level(rules.em.family(*OFFICE_OLD), Documentation(), "99215")
    assert (found.supported, found.comparison) == ("", "none")


def test_a_word_of_another_element_is_refused(rules: Rules) -> None:
    with pytest.raises(Unreadable) as refused:
        evaluate_level(rules.em.family(*OFFICE_OLD), Documentation(problems="extensive"))
    assert refused.value.path == "problems"


def test_only_em_codes_are_em(rules: Rules) -> None:
    assert rules.em.is_em("99213")
    assert not rules.em.is_em("20610")
    assert not rules.em.is_em("99201")


@given(**WORDS, minutes=st.integers(0, 120))
def test_more_documentation_never_supports_less(
    rules: Rules, problems: str, data: str, risk: str, minutes: int
) -> None:
    family = rules.em.family(*OFFICE_OLD)
    less = evaluate_level(family, Documentation(problems, data, risk, minutes)).supported
    more = evaluate_level(family, Documentation("high", data, risk, minutes + 10)).supported
    assert more >= less


@given(**WORDS)
def test_the_level_needs_two_elements(problems: str, data: str, risk: str) -> None:
    level = mdm_level(Documentation(problems, data, risk))
    worths = [ELEMENTS[name].get(word, 0) for name, word in (("problems", problems), ("data", data), ("risk", risk))]
    assert sum(worth >= level for worth in worths) >= 2
    assert sum(worth > level for worth in worths) < 2
