"""Questions in real time: the reply that is ours is found, everything else is a reason, and names fit into X12."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from asked_clearinghouse import FakeClearinghouse
from clearinghouse import (
    DirectoryClearinghouse,
    RealtimeSettings,
    Trading,
    ask_payer,
    find_reply,
    x12_member,
    x12_text,
)
from kernel.errors import Refused, Unavailable, Unreadable
from kernel.person import Person
from x12.views.eligibility import EligibilityReply, build_271, read_271
from x12.views.parties import Member

TRADING = Trading("THROUGHLINE", "SYNCLEAR", "T")
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)


@dataclass
class Stubborn:
    async def realtime(self, x12: str, timeout_s: float = 20.0) -> str:
        await asyncio.Event().wait()
        return x12


async def test_the_answer_comes_without_a_reason():
    assert await ask_payer(FakeClearinghouse(lambda text: f"<{text}>"), "ISA", 5.0) == ("<ISA>", "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unavailable("clearinghouse-timeout", "late"), "timeout"),
        (Unavailable("clearinghouse-down", "down"), "clearinghouse-down"),
        (Refused("clearinghouse-refused", "no"), "clearinghouse-refused"),
        (TimeoutError(), "timeout"),
    ],
)
async def test_what_goes_wrong_outside_is_a_reason(error, reason):
    assert await ask_payer(FakeClearinghouse(error), "ISA", 5.0) == ("", reason)


async def test_nobody_is_waited_for_longer_than_allowed():
    assert await ask_payer(Stubborn(), "ISA", 0.01) == ("", "timeout")


async def test_a_fault_of_our_own_is_not_taken_for_one_outside():
    with pytest.raises(ZeroDivisionError):
        await ask_payer(FakeClearinghouse(ZeroDivisionError()), "ISA", 5.0)


def answer(trace):
    reply = EligibilityReply(
        payer_id="SYNPA",
        payer_name="SYNTHETIC PAYER A",
        provider_npi="1234567893",
        provider_name="SAMPLE CLINIC",
        subscriber=Member("ALDER", "NORA", "M1"),
        trace_number=trace,
    )
    return build_271(reply, TRADING.envelope(UUID(int=7), NOW))


def test_the_reply_to_our_question_is_found():
    assert find_reply(answer("T1"), "271", read_271, "T1").subscriber.last == "ALDER"


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [(answer("T2"), "271", "271-foreign"), (answer("T1"), "278", "278-refused"), ("no x12", "271", "271-unreadable")],
)
def test_any_other_answer_is_unreadable(text, code, reason):
    with pytest.raises(Unreadable) as refused:
        find_reply(text, code, read_271, "T1")
    assert refused.value.code == reason


def test_the_envelope_is_ours_and_its_number_comes_from_the_message():
    envelope = TRADING.envelope(UUID(int=7), NOW)
    assert (envelope.sender_id, envelope.receiver_id, envelope.usage) == ("THROUGHLINE", "SYNCLEAR", "T")
    assert (envelope.control_number, envelope.created) == (8, NOW)
    assert 1 <= TRADING.envelope(UUID(int=2**128 - 1), NOW).control_number <= 999_999_999


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("Núñez  Öst", "NUNEZ OST"), ("O'Brien-Smith", "O'BRIEN-SMITH"), ("a*b~c:d^e", "A B C D E"), ("", "")],
)
def test_text_is_what_payers_compare(text, wanted):
    assert x12_text(text) == wanted


def test_a_member_keeps_id_day_and_gender():
    person = Person("Núñez", "Ana", date(1980, 5, 17), "F", "m1")
    assert x12_member(person) == Member("NUNEZ", "ANA", "m1", date(1980, 5, 17), "F")


def test_settings_open_the_clearinghouse_that_they_name(tmp_path):
    settings = RealtimeSettings(clearinghouse_url=tmp_path.as_uri())
    assert settings.trading() == TRADING
    assert isinstance(settings.open_clearinghouse(None), DirectoryClearinghouse)
    with pytest.raises(ValueError, match="clearinghouse_url"):
        RealtimeSettings(clearinghouse_url="ftp://host").open_clearinghouse(None)
