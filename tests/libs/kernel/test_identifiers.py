"""Identifiers have the promised shape, and the NPI check digit is really checked."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.identifiers import control_number, journey_id, new_id, npi_valid, uuid7

LETTERS = set("BCDFGHJKMNPQRSTVWXYZ")


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**74 - 1))
def test_new_id_is_a_uuid_version_7(clock_ms: int, rand: int) -> None:
    made = uuid.UUID(new_id(clock_ms, rand))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == clock_ms


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_ids_sort_by_time_and_keep_all_randomness(clock_ms: int, one: int, other: int) -> None:
    assert new_id(clock_ms, one) < new_id(clock_ms + 1, other)
    assert (new_id(clock_ms, one) == new_id(clock_ms, other)) == (one == other)


def test_defaults_do_not_repeat() -> None:
    for make in (uuid7, journey_id, control_number):
        assert len({make() for _ in range(1000)}) == 1000


def test_journey_id_is_a_trace_id() -> None:
    made = journey_id()
    assert len(made) == 32 and int(made, 16) != 0 and made == made.lower()


@given(st.integers(0, 2**82 - 1))
def test_control_number_has_17_symbols_without_vowels(rand: int) -> None:
    made = control_number(rand)
    assert len(made) == 17 and made[0] in LETTERS
    assert set(made) <= LETTERS | set("0123456789")
    assert control_number(rand) == made


@given(st.integers(0, 2**82 - 1), st.integers(0, 2**82 - 1))
def test_control_numbers_collide_only_with_themselves(one: int, other: int) -> None:
    assert (control_number(one) == control_number(other)) == (one == other)


@pytest.mark.parametrize("npi", ["1234567893", "1245319599", "2000000002"])
def test_valid_npis(npi: str) -> None:
    assert npi_valid(npi)


@pytest.mark.parametrize(
    "npi", ["1234567890", "3234567893", "123456789", "12345678931", "", "12345６7893", "abcdefghij"]
)
def test_invalid_npis(npi: str) -> None:
    assert not npi_valid(npi)


@given(st.integers(0, 9), st.integers(0, 9))
def test_every_single_wrong_digit_is_seen(position: int, digit: int) -> None:
    npi = "1234567893"
    changed = npi[:position] + str(digit) + npi[position + 1 :]
    assert npi_valid(changed) == (changed == npi)
