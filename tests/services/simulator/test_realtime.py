"""What the payers answer at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from simulator.realtime import answer_authorization, answer_eligibility
from simulator_world import CLINIC, RULES, TODAY, Memory, a_member
from x12.views.authorization import AuthorizationRequest, AuthorizationService
from x12.views.eligibility import EligibilityInquiry
from x12.views.parties import Member


def ask(member: Member | None = None, payer: str = "SYNPA", npi: str = CLINIC.npi, on: date = TODAY, memory=None):
    inquiry = EligibilityInquiry(
        payer_id=payer,
        payer_name="SYNTHETIC PAYER",
        provider_npi=npi,
        provider_name=CLINIC.name,
        subscriber=member or a_member(),
        trace_number="T1",
        service_date=on,
    )
    return answer_eligibility(inquiry, RULES, memory or Memory(), TODAY)


def rejected(reply) -> list[tuple[str, str]]:
    return [(item.level, item.code) for item in reply.rejections]


def test_a_known_member_is_active_with_benefits() -> None:
    reply = ask()
    assert reply.active() is True and not reply.rejections
    assert reply.subscriber == a_member() and reply.trace_number == "T1"
    assert [b.amount_cents for b in reply.of("B")] == [2500]
    assert [b.percent for b in reply.of("A")] == ["0.2"]
    assert reply.of("C") == () and reply.plan_end is None


def test_payer_b_tells_the_deductible_that_is_left() -> None:
    reply = ask(a_member("B", "7"), "SYNPB", memory=Memory(deductible=7750))
    assert [(b.period, b.amount_cents) for b in reply.of("C")] == [("23", 10000), ("29", 2250)]
    assert reply.of("B") == ()
    assert ask(a_member("B", "0"), "SYNPB").of("C") == ()


def test_a_lapsed_plan_is_inactive_only_after_its_end() -> None:
    lapsed = a_member(lapsed=True)
    reply = ask(lapsed)
    assert reply.active() is False and reply.of("B") == ()
    assert reply.plan_end == date(2023, 12, 31)
    assert ask(lapsed, on=date(2023, 12, 31)).active() is True


def test_wrong_identity_is_rejected_with_the_reason() -> None:
    member = a_member()
    assert member.birth_date is not None
    wrong_birth = replace(member, birth_date=member.birth_date + timedelta(days=1))
    assert rejected(ask(wrong_birth)) == [("2100C", "71")]
    mistyped = replace(member, member_id=member.member_id[:-2] + str((int(member.member_id[-2]) + 1) % 10) + "0")
    assert rejected(ask(mistyped)) == [("2100C", "72")]
    assert rejected(ask(replace(member, member_id="W999"))) == [("2100C", "75")]
    assert rejected(ask(replace(member, member_id=""))) == [("2100C", "72")]
    assert rejected(ask(a_member("B"))) == [("2100C", "72")]  # a member of the other payer
    assert ask(wrong_birth).active() is None


def test_a_wrong_name_is_answered_with_the_right_one() -> None:
    reply = ask(replace(a_member(), last="Sample-Mistyped"))
    assert reply.active() is True and reply.subscriber == a_member()


def test_unknown_payers_and_providers_are_rejected_higher_up() -> None:
    assert rejected(ask(payer="SYNPZ")) == [("2100A", "79")]
    assert rejected(ask(npi="1999901015")) == [("2100B", "43")]


def request(
    code: str = "70551", member: Member | None = None, payer: str = "SYNPA", *more: str
) -> AuthorizationRequest:
    return AuthorizationRequest(
        trace_number="T2",
        umo_id=payer,
        umo_name="SYNTHETIC PAYER",
        requester_npi=CLINIC.npi,
        requester_name=CLINIC.name,
        subscriber=member or a_member(),
        services=tuple(AuthorizationService(code=item, date_from=TODAY) for item in (code, *more)),
    )


def decide(asked: AuthorizationRequest, memory: Memory | None = None):
    return answer_authorization(asked, RULES, memory or Memory(), TODAY)


def test_a_yes_has_a_number_and_dates_and_asking_again_gives_the_same() -> None:
    memory = Memory()
    first, again = decide(request(), memory), decide(request(), memory)
    assert (first.action, first.number) == ("A1", "AUTH00000001") == (again.action, again.number)
    assert first.decision is not None
    assert (first.decision.effective_from, first.decision.effective_to) == (
        TODAY - timedelta(days=7),
        TODAY + timedelta(days=90),
    )


def test_a_pend_becomes_a_yes_at_the_second_asking() -> None:
    memory, asked = Memory(), request(member=a_member(digit="4"))
    assert [decide(asked, memory).action for _ in range(3)] == ["A4", "A1", "A1"]


def test_a_no_stays_a_no() -> None:
    memory, asked = Memory(), request(member=a_member(digit="3"))
    replies = [decide(asked, memory) for _ in range(2)]
    assert [(reply.action, reply.number) for reply in replies] == [("A3", ""), ("A3", "")]
    assert memory.authorizations == {}


OWN_LISTS = [
    ("SYNPA", "A", "72148", "A1"),
    ("SYNPB", "B", "72148", "NA"),
    ("SYNPA", "A", "71046", "NA"),
    ("SYNPB", "B", "J0897", "A1"),
]


@pytest.mark.parametrize(("payer", "letter", "code", "action"), OWN_LISTS)
def test_only_the_payers_own_list_needs_a_decision(payer: str, letter: str, code: str, action: str) -> None:
    assert decide(request(code, a_member(letter), payer)).action == action


def test_services_that_fare_differently_are_decided_one_by_one() -> None:
    reply = decide(request("70551", None, "SYNPA", "71046"))
    assert reply.decision is None
    assert [item.decision.action for item in reply.services if item.decision] == ["A1", "NA"]


def test_unknown_payers_and_members_are_rejected() -> None:
    assert rejected(decide(request(payer="SYNPZ"))) == [("2010A", "79")]
    assert rejected(decide(request(member=replace(a_member(), member_id="W1")))) == [("2010C", "75")]
