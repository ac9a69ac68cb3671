"""The payers' books: whoever knows a member id derives the same person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.people import find_person, looks_like_member_id, member_id

SEEDS = st.integers(0, 400)
INDEXES = st.integers(0, 100_000)


@given(SEEDS, INDEXES, st.sampled_from("AB"), st.sampled_from("FM"), st.sampled_from("0123456789"), st.booleans())
def test_every_id_that_is_given_out_is_known_to_its_payer_alone(seed, index, letter, gender, digit, lapsed) -> None:
    id = member_id(letter, seed, index, gender=gender, digit=digit, lapsed=lapsed)
    person = find_person(id, letter)
    assert person is not None and person == find_person(id, letter)
    assert person.gender == gender and id[-1] == digit
    assert (person.plan.end is not None) is lapsed
    assert find_person(id, "B" if letter == "A" else "A") is None


@given(SEEDS, st.lists(INDEXES, unique=True, min_size=2, max_size=20))
def test_members_of_one_seed_have_different_ids(seed, indexes) -> None:
    assert len({member_id("A", seed, index, gender="F", digit="0") for index in indexes}) == len(indexes)


@given(SEEDS, INDEXES, st.integers(4, 14), st.integers(1, 9))
def test_one_mistyped_digit_is_nobody(seed, index, place, shift) -> None:
    id = member_id("A", seed, index, gender="M", digit="0")
    wrong = id[:place] + str((int(id[place]) + shift) % 10) + id[place + 1 :]
    assert find_person(wrong, "A") is None
    assert looks_like_member_id(wrong)


@pytest.mark.parametrize("id", ["", "SYN", "W123456789", "SYNC0000000000000", "SYNA00000000000001"])
def test_other_texts_are_no_member_ids(id: str) -> None:
    assert not looks_like_member_id(id)
    assert find_person(id, "A") is None


def test_names_are_visibly_invented() -> None:
    people = [find_person(member_id("B", 1, n, gender="F", digit="0"), "B") for n in range(200)]
    assert all(person is not None and person.last.startswith(("Sample-", "Test-")) for person in people)
    assert all(person is not None and person.birth_date.year < 1960 for person in people)
