"""What is compared of two Patients, and what the rows make of it: the same, doubtful, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interface_engine.model_persons import LINK, NOTHING, PAIR_STATES, REVIEW, Traits, path_between, persons_of
from interface_engine.rules import persons as rules
from interface_engine.rules.persons import load_judge, read_judge
from interface_engine.wire.persons import patient_keys, plain_text, traits_of
from kernel.rules import RuleError
from persons_people import FEED_B, SSN, named, numbered, person

TEXT = (Path(rules.__file__).parent / "persons.toml").read_text()
OTHER = numbered((FEED_B, "other"))


def verdict(one: dict[str, Any], other: dict[str, Any]) -> Any:
    """As it is where no value is crowded: every equal key is shared."""
    kinds = [{(key.kind, key.hash) for key in patient_keys("t", "x", traits_of(each))} for each in (one, other)]
    shared = frozenset(kind for kind, _ in kinds[0] & kinds[1])
    return load_judge().judge(traits_of(one), traits_of(other), shared)


ME = person("me")


@pytest.mark.parametrize(
    ("says", "change"),
    [
        (LINK, {}),
        (LINK, {"name": named("EXAMPLE MOSS", "quillon")}),
        (LINK, {"name": named("Éxample-Moss", "Quillon")}),
        (LINK, {"name": named("Example-Mosz", "Quillon")}),  # one letter
        (LINK, {"name": named("Moss", "Quillon")}),  # half a double name
        (LINK, {"name": named("Example-Moss", "Q")}),
        (LINK, {"telecom": None}),
        (LINK, {"telecom": None, "address": [{"postalCode": "01234"}]}),
        (LINK, {"telecom": [{"system": "phone", "value": "555 010 9999"}]}),  # the address is the same
        (REVIEW, {"telecom": None, "address": None}),  # name and birth date alone are not enough
        (REVIEW, {"name": named("Otherwise", "Quillon")}),  # married
        (REVIEW, {"name": named("Example-Moss", "Quill")}),  # called so, or a brother
        (REVIEW, {"name": named("Example-Moss", "Tar")}),  # the middle name
        (REVIEW, {"birthDate": "1980-05-06", "telecom": None}),
        (REVIEW, {"birthDate": "1980-05-01"}),
        (REVIEW, {"birthDate": "1981-05-16"}),
        (NOTHING, {"name": named("Otherwise", "Anders"), "birthDate": "1951-02-03"}),  # only the household
        (NOTHING, {"name": named("Otherwise", "Anders"), "address": None, "telecom": None}),
        (NOTHING, {"name": None, "birthDate": None}),
    ],
)
def test_how_alike_decides(says: str, change: dict[str, Any]) -> None:
    assert verdict(ME, person("you", identifier=OTHER, **change)).says == says


def test_transposed_day_and_month_are_doubtful_and_not_another_day() -> None:
    one, other = person("a", birthDate="1980-05-06"), person("b", birthDate="1980-06-05", identifier=OTHER)
    found = verdict(one, other)
    assert (found.says, "birth-transposed" in found.fired) == (REVIEW, True)


def test_a_strong_number_links_whatever_else_is_alike() -> None:
    one = person("a", identifier=numbered((SSN, "521-04-1234")))
    same = {"identifier": numbered((SSN, "521041234"), (FEED_B, "1"))}
    married = person("b", name=named("Otherwise", "Quillon"), telecom=None, address=None, **same)
    assert (verdict(one, married).says, verdict(one, married).reason) == (LINK, "number")
    bare = {"resourceType": "Patient", "id": "c", **same}
    assert verdict(one, bare).says == LINK


@pytest.mark.parametrize(
    "change",
    [
        {"birthDate": "2012-01-02"},
        {"gender": "female"},
        {"name": named("Example-Moss", "Anders")},
        {"name": named("Example-Moss", "Quillon", suffix=["III"])},
    ],
)
def test_a_strong_number_with_a_contradiction_is_for_a_person(change: dict[str, Any]) -> None:
    number = {"identifier": numbered((SSN, "521-04-1234"))}
    jr = named("Example-Moss", "Quillon", suffix=["Jr."])
    found = verdict(person("a", name=jr, **number), person("b", **{"name": jr, **number, **change}))
    assert (found.says, found.reason) == (REVIEW, "contradiction")


@pytest.mark.parametrize("number", ["000-12-3456", "111-11-1111", "123-45-6789", "521-04-0000", "12-34"])
def test_numbers_that_are_put_in_for_want_of_one_say_nothing(number: str) -> None:
    assert traits_of(person("a", identifier=numbered((SSN, number)))).ssn == ""


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize("given", ["Quella", "Anders", "Quillan"])
def test_twins_are_not_linked(given: str, sex: str) -> None:
    twin = person("b", name=named("Example-Moss", given), gender=sex, identifier=OTHER)
    assert verdict(ME, twin).says != LINK


def test_twins_of_two_sexes_or_with_two_numbers_are_not_even_asked_about() -> None:
    assert (
        verdict(ME, person("b", name=named("Example-Moss", "Anders"), gender="female", identifier=OTHER)).says
        == NOTHING
    )
    one = person("a", identifier=numbered((SSN, "521-04-1234")))
    other = person("b", name=named("Example-Moss", "Anders"), identifier=numbered((SSN, "521-04-1235")))
    assert verdict(one, other).says == NOTHING


@pytest.mark.parametrize("birth", ["2010-05-16", "2011-09-30", None])
def test_father_and_son_are_not_linked(birth: str | None) -> None:
    father = person("a", name=named("Example-Moss", "Quillon", suffix=["Sr."]))
    son = person("b", name=named("Example-Moss Jr", "Quillon"), birthDate=birth, identifier=OTHER)
    assert verdict(father, son).says == NOTHING
    unmarked = person("b", birthDate=birth, identifier=OTHER)
    assert verdict(father, unmarked).says == (REVIEW if birth is None else NOTHING)


def test_two_numbers_of_one_register_are_for_a_person_however_alike() -> None:
    assert verdict(ME, person("you")).says == REVIEW


def test_a_value_that_many_share_says_nothing() -> None:
    other = person("b", identifier=OTHER)
    without = load_judge().judge(traits_of(ME), traits_of(other), frozenset())
    assert "phone-same" not in without.fired and "phone-different" not in without.fired
    alone = person("a", address=None), person("b", address=None, identifier=OTHER)
    assert verdict(*alone).score > load_judge().judge(*map(traits_of, alone)).score + 8


def test_a_household_says_no_more_than_its_best_part() -> None:
    one, other = person("a", telecom=None), person("b", telecom=None, identifier=OTHER)
    both = verdict(person("a"), person("b", identifier=OTHER)).score
    assert both - verdict(one, other).score < 1


def test_judging_is_the_same_both_ways() -> None:
    for change in ({}, {"birthDate": "1980-05-06"}, {"name": named("Moss", "Quill")}, {"gender": "female"}):
        other = person("b", identifier=OTHER, **change)
        assert verdict(ME, other) == verdict(other, ME)


NAMES = st.text("abcd -'", max_size=8)
TRAITS = st.builds(
    Traits,
    families=st.lists(NAMES.map(plain_text).filter(bool), max_size=2).map(tuple),
    given=NAMES.map(plain_text),
    middles=st.lists(NAMES.map(plain_text).filter(bool), max_size=1).map(tuple),
    suffix=st.sampled_from(["", "jr", "sr"]),
    birth=st.sampled_from(["", "19800506", "19800605", "19810506", "20100506"]),
    sex=st.sampled_from(["", "male", "female"]),
    ssn=st.sampled_from(["", "521041234", "521041235"]),
)


@given(TRAITS, TRAITS)
def test_any_two_are_judged_alike_both_ways(one: Traits, other: Traits) -> None:
    judge = load_judge()
    assert judge.judge(one, other) == judge.judge(other, one)
    assert judge.contradict(one, other) == judge.contradict(other, one)


@given(st.text())
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert plain_text(plain_text(text)) == plain_text(text)


def test_names_lose_case_accents_and_marks() -> None:
    assert plain_text("O’Brien-Núñez  ") == plain_text("OBRIEN NUNEZ")
    assert plain_text("d'Arc") == "darc"


def test_what_cannot_be_read_is_not_known() -> None:
    strange = {
        "resourceType": "Patient", "name": [{"given": [None, 3]}, "x"], "birthDate": "1980-05", "gender": "other",
        "telecom": [{"system": "phone", "value": "1"}], "identifier": [{"value": "1"}, {"system": "s"}], "address": {},
    }  # fmt: skip
    assert traits_of(strange) == Traits()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('outcome = "transposed"', 'outcome = "upside-down"', "no such outcome"),
        ("same = 0.95\nother = 0.00005", "same = 0.90\nother = 0.00005", "add up to 1"),
        ("same = 0.95\nother = 0.00005", "same = 0.95\nother = 0.0", "probabilities"),
        ('bars = "always"', 'bars = "never"', "bars is"),
        ("bits = 20.0", "bits = 40.0", "threshold"),
    ],
)
def test_a_wrong_row_is_refused(old: str, new: str, reason: str) -> None:
    assert old in TEXT
    with pytest.raises(RuleError, match=reason):
        read_judge(TEXT.replace(old, new, 1))


def test_a_row_too_few_is_refused() -> None:
    start = TEXT.index('[[outcome]]\nid = "sex-different"')
    end = TEXT.index("# Father and son")
    with pytest.raises(RuleError, match="no row for sex different"):
        read_judge(TEXT[:start] + TEXT[end:])


def test_persons_are_what_hangs_together() -> None:
    homes = {"a": "3", "b": "1", "c": "2", "d": "4"}
    assert persons_of(homes, [("a", "c"), ("c", "b"), ("d", "absent")]) == {"a": "1", "b": "1", "c": "1", "d": "4"}
    assert persons_of(homes, []) == homes


def test_a_way_leads_from_one_to_the_other_or_nowhere() -> None:
    assert path_between("a", "c", [("a", "b"), ("b", "c"), ("d", "e")]) == ["a", "b", "c"]
    assert path_between("a", "d", [("a", "b"), ("d", "e")]) == []


def test_a_persons_word_is_taken_back_by_a_person_or_asked_again() -> None:
    assert not PAIR_STATES.allows("different", "linked")
    assert not PAIR_STATES.allows("same", "linked") and not PAIR_STATES.allows("same", "review")
