"""The clearinghouse as its client sees it: questions, batches, mailbox, remittances, and what goes wrong on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from kernel.errors import Refused, Unreadable
from simulator.faults import read_faults
from simulator.handlers import World, accept_batch, answer_realtime, pay_due, read_mail
from simulator.store import Store
from simulator_world import CLINIC, MAILBOX, NOW, RULES, TODAY, a_claim, a_line, a_member, a_question, an_envelope
from x12 import balance, check, read, transaction_sets
from x12.views.acknowledgment import read_277ca, read_999, read_ta1
from x12.views.authorization import AuthorizationRequest, AuthorizationService, build_278_request, read_278_response
from x12.views.claim import Claim837, build_837p
from x12.views.eligibility import read_271
from x12.views.remittance import Remittance, read_835

LATER = NOW + timedelta(seconds=10)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store(tmp_path)
    yield World(store, RULES)
    store.close()


def faulty(world: World, text: str) -> World:
    return World(world.store, world.rules, world.pay_after, read_faults(text))


def send(world: World, *claims: Claim837, number: int = 1) -> str:
    return accept_batch(world, MAILBOX, build_837p(claims or (a_claim(),), an_envelope(number)).encode(), NOW)


def mail(world: World, *kinds: str, after: int = 0) -> list[str]:
    found = world.store.list_mail(MAILBOX, kinds, after, 1000)
    return [read_mail(world, MAILBOX, item.id).decode() for item in found]


def statuses(world: World) -> list[tuple[str, str, str]]:
    answers = [read_277ca(next(transaction_sets(text))) for text in mail(world, "277CA")]
    return [(c.control_number, c.statuses[0].category, c.statuses[0].code) for answer in answers for c in answer.claims]


def remittances(world: World) -> list[Remittance]:
    return [read_835(next(transaction_sets(text))) for text in mail(world, "835")]


def findings(texts: list[str]) -> list[str]:
    return [
        f"{item.path} {item.rule}"
        for text in texts
        for interchange in read(text)
        for item in check(interchange)
        if item.severity == "error"
    ]


def test_a_batch_is_acknowledged_paid_and_deposited(world: World) -> None:
    send(world, a_claim(control="B1"), a_claim(control="B2", subscriber=a_member(index=2)))
    (group,) = [read_999(next(transaction_sets(text))) for text in mail(world, "999")]
    assert (group.status, group.accepted) == ("A", 1)
    assert statuses(world) == [("B1", "A2", "20"), ("B2", "A2", "20")]
    assert pay_due(world, NOW) == 0  # not yet
    assert pay_due(world, LATER) == 2
    assert pay_due(world, LATER) == 0  # and only once
    (remittance,) = remittances(world)
    assert [claim.control_number for claim in remittance.claims] == ["B1", "B2"]
    assert remittance.payee.npi == CLINIC.npi
    (deposit,) = mail(world, "CCD")
    assert f"TRN*1*{remittance.trace_number}*{remittance.trace_origin}" in deposit
    assert f"{remittance.amount_cents:010d}" in deposit.splitlines()[2]
    assert mail(world, "TA1") == []


def test_what_is_sent_keeps_to_the_guides_and_balances(world: World) -> None:
    claims = [
        a_claim(a_line(), a_line("80053", 6000), letter=letter, digit=digit, control=f"{letter}{digit}")
        for letter in "AB"
        for digit in "0123456789"
    ]
    send(world, *claims)
    pay_due(world, LATER)
    assert findings(mail(world, "999", "277CA", "835")) == []
    sets = [next(transaction_sets(text)) for text in mail(world, "835")]
    assert len(sets) == 2 and all(balance(item).balanced for item in sets)


def test_the_same_bytes_are_worked_on_once(world: World) -> None:
    assert send(world) == send(world) != send(world, number=2)
    assert [control for control, *_ in statuses(world)] == ["B0001"] * 2  # twice only because two files differ
    assert len(mail(world, "999")) == 2


def test_a_claim_sent_again_under_another_number_is_a_duplicate(world: World) -> None:
    send(world, a_claim(control="B1"))
    send(world, a_claim(control="B2"), number=2)
    pay_due(world, LATER)
    reasons = {c.control_number: {a.reason for a in c.every_adjustment()} for r in remittances(world) for c in r.claims}
    assert reasons == {"B1": {"45", "2", "3"}, "B2": {"18"}}


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (a_claim(digit="8"), ("A3", "33")),
        (a_claim(subscriber=a_member("B")), ("A3", "33")),
        (a_claim(a_line(date_from=TODAY + timedelta(days=1))), ("A7", "187")),
        (a_claim(), ("A2", "20")),
    ],
)
def test_the_front_door_of_the_payer(world: World, claim: Claim837, status: tuple[str, str]) -> None:
    send(world, claim)
    assert statuses(world) == [("B0001", *status)]
    assert pay_due(world, LATER) == (status[0] == "A2")


def test_a_set_with_errors_is_rejected_and_its_claims_go_nowhere(world: World) -> None:
    text = build_837p((a_claim(),), an_envelope()).replace("CLM*B0001*155", "CLM**155")
    accept_batch(world, MAILBOX, text.encode(), NOW)
    (group,) = [read_999(next(transaction_sets(item))) for item in mail(world, "999")]
    assert group.status == "R" and group.rejected_sets == ("0001",)
    assert mail(world, "277CA") == [] and pay_due(world, LATER) == 0


def test_a_broken_envelope_gets_a_ta1(world: World) -> None:
    text = build_837p((a_claim(),), an_envelope(77))
    accept_batch(world, MAILBOX, text.replace("IEA*1*000000077", "IEA*1*000000078").encode(), NOW)
    (answer,) = [item for text in mail(world, "TA1") for whole in read(text) for item in read_ta1(whole)]
    assert (answer.control_number, answer.status) == ("000000077", "R")
    assert mail(world, "999", "277CA") == []


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe", b"ISA*00*"])
def test_what_is_not_x12_is_refused_and_leaves_nothing(world: World, content: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        accept_batch(world, MAILBOX, content, NOW)
    assert caught.value.code == "not-x12"
    assert mail(world) == []


def test_a_void_takes_the_payment_back_and_a_replacement_pays_again(world: World) -> None:
    send(world, a_claim(control="B1"))
    pay_due(world, LATER)
    number = remittances(world)[0].claims[0].payer_claim_number
    send(world, a_claim(a_line(cents=20000), control="B2", frequency="7", payer_claim_control=number), number=2)
    pay_due(world, LATER)
    back, again = remittances(world)[1].claims
    assert (back.control_number, back.status, back.paid_cents) == ("B1", "22", -5440)
    assert (again.control_number, again.status, again.paid_cents) == ("B2", "1", 7600)
    send(world, a_claim(control="B3", frequency="8", payer_claim_control=again.payer_claim_number), number=3)
    pay_due(world, LATER)
    (last,) = remittances(world)[2].claims
    assert (last.control_number, last.paid_cents) == ("B2", -7600)
    assert remittances(world)[2].amount_cents == 0 and len(mail(world, "CCD")) == 2


def test_fifty_claims_are_paid_by_one_remittance(world: World) -> None:
    send(world, *(a_claim(control=f"B{n}", subscriber=a_member(index=n)) for n in range(60)))
    pay_due(world, LATER)
    assert sorted(len(remittance.claims) for remittance in remittances(world)) == [10, 50]


def test_a_270_is_answered_by_a_271(world: World) -> None:
    answer = answer_realtime(world, a_question(), NOW)
    (reply,) = read_271(next(transaction_sets(answer)))
    assert reply.active() is True and reply.trace_number == "T1" and reply.subscriber == a_member()
    assert findings([answer]) == []


def test_a_278_is_answered_and_its_number_pays_the_claim(world: World) -> None:
    member = a_member()
    request = AuthorizationRequest(
        trace_number="T2",
        umo_id="SYNPA",
        umo_name="SYNTHETIC PAYER A",
        requester_npi=CLINIC.npi,
        requester_name=CLINIC.name,
        subscriber=member,
        services=(AuthorizationService(code="72148", date_from=TODAY),),
        event_from=TODAY,
    )
    answer = answer_realtime(world, build_278_request(request, an_envelope()), NOW)
    (reply,) = read_278_response(next(transaction_sets(answer)))
    assert reply.action == "A1" and findings([answer]) == []
    spine = a_line("72148", 135000)
    send(world, a_claim(spine, control="B1", prior_authorization=reply.number))
    send(world, a_claim(a_line("74177", 165000), control="B2", prior_authorization=reply.number), number=2)
    pay_due(world, LATER)
    paid = {claim.control_number: claim.paid_cents for item in remittances(world) for claim in item.claims}
    assert paid == {"B1": 64800, "B2": 0}


def test_a_question_that_breaks_the_guide_gets_a_999(world: World) -> None:
    answer = answer_realtime(world, a_question().replace("*0022*13*", "*0022*ZZ*"), NOW)
    assert next(transaction_sets(answer)).code == "999"


@pytest.mark.parametrize("text", ["", "hello", build_837p((a_claim(),), an_envelope())])
def test_only_questions_are_answered_at_once(world: World, text: str) -> None:
    with pytest.raises(Unreadable):
        answer_realtime(world, text, NOW)


def test_a_mailbox_shows_only_its_own_files(world: World) -> None:
    send(world)
    (first, *_) = world.store.list_mail(MAILBOX, (), 0, 10)
    assert world.store.list_mail("ANOTHER", (), 0, 10) == []
    with pytest.raises(Refused) as caught:
        read_mail(world, "ANOTHER", first.id)
    assert caught.value.kind == "not_found"
    cursors = [item.cursor for item in world.store.list_mail(MAILBOX, (), 0, 10)]
    assert cursors == sorted(set(cursors))
    assert [item.cursor for item in world.store.list_mail(MAILBOX, (), cursors[0], 10)] == cursors[1:]


def test_nothing_is_lost_when_the_process_is_gone(world: World, tmp_path: Path) -> None:
    send(world)
    reopened = World(Store(tmp_path), RULES)  # the first was never closed, as after a kill
    assert len(mail(reopened, "277CA")) == 1
    assert pay_due(reopened, LATER) == 1
    assert send(reopened) and len(mail(reopened, "277CA")) == 1
    reopened.store.close()


def test_a_failure_inside_leaves_no_half(world: World) -> None:
    with pytest.raises(RuntimeError), world.store.change():
        world.store.put_mail(MAILBOX, "999", "half")
        raise RuntimeError
    assert mail(world) == []


def test_fault_unbalanced_remittance_comes_before_the_good_one(world: World) -> None:
    world = faulty(world, "unbalanced-835")
    send(world)
    pay_due(world, LATER)
    sets = [next(transaction_sets(text)) for text in mail(world, "835")]
    assert [balance(item).balanced for item in sets] == [False, True]


def test_fault_unknown_claim_is_in_a_remittance_that_balances(world: World) -> None:
    world = faulty(world, "unknown-claim-835")
    send(world)
    pay_due(world, LATER)
    (remittance,) = remittances(world)
    assert [claim.control_number for claim in remittance.claims] == ["B0001", "NOTOURS000001"]
    assert balance(next(transaction_sets(mail(world, "835")[0]))).balanced


def test_fault_duplicate_files_are_the_same_bytes_under_another_id(world: World) -> None:
    world = faulty(world, "duplicate-file")
    send(world)
    first, second = mail(world, "277CA")
    assert first == second


def test_fault_999_for_a_set_that_nobody_sent(world: World) -> None:
    world = faulty(world, "unknown-set-999")
    send(world)
    groups = [read_999(next(transaction_sets(text))) for text in mail(world, "999")]
    assert [group.group_control for group in groups] == ["1", "999999999"]


def test_fault_takeback_reverses_once_and_pays_again(world: World) -> None:
    world = faulty(world, "takeback")
    send(world)
    pay_due(world, LATER)
    pay_due(world, LATER + timedelta(seconds=10))
    assert pay_due(world, LATER + timedelta(seconds=20)) == 0
    assert [claim.paid_cents for item in remittances(world) for claim in item.claims] == [5440, -5440, 5440]
