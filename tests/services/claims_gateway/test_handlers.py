"""What each verb does to a claim, on a store in memory: the facts that follow, and the states that may not be left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from claims_gateway import handlers
from claims_gateway.model import (
    Acknowledgment,
    Answers,
    AuthorizationAnswer,
    Claim,
    ClaimMoved,
    CoverageAnswer,
    Draft,
    Fact,
    FileUnmatched,
    WorkClosed,
    WorkOpened,
)
from claims_gateway.rules import RuleBook
from gateway_world import ACTIVE, NOW, RENDERING, SERVED, FakeClaims, billed, draft, line
from kernel.errors import Refused

UNKNOWN = Answers(CoverageAnswer(status="unknown", on=SERVED, reason="timeout"))


async def take(store: FakeClaims, book: RuleBook, content: Draft, answers: Answers = ACTIVE) -> list[Fact]:
    return await handlers.take_charges(store, book, "t1", content, answers, NOW)


def only(store: FakeClaims) -> Claim:
    [claim] = store.rows.values()
    return claim


def names(facts: list[Fact]) -> list[str]:
    return [fact.event if isinstance(fact, ClaimMoved) else type(fact).__name__ for fact in facts]


async def submitted(store: FakeClaims, book: RuleBook, content: Draft | None = None) -> Claim:
    """A claim that has been handed over in file 1."""
    await take(store, book, content or draft())
    claim = only(store)
    made = await handlers.claim_ready(store, "t1", 1, "ISA~", [claim], NOW, NOW)
    await handlers.mark_submitted(store, made.interchange_id, "f1", NOW)
    return only(store)


async def test_clean_charges_make_a_ready_claim(book: RuleBook) -> None:
    store = FakeClaims()
    facts = await take(store, book, draft())
    claim = only(store)
    assert names(facts) == ["claim.built"]
    assert (claim.state, claim.findings, claim.total_cents) == ("ready", (), 21500)
    assert claim.filing_deadline == date(2026, 9, 12)
    assert store.events == [(claim.claim_id, "draft", "ready", "clean")]


async def test_every_line_has_a_control_number_of_its_own(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft())
    await take(store, book, draft(encounter_key="visit-2"))
    numbers = [line.control_number for claim in store.rows.values() for line in claim.draft.lines]
    assert len(set(numbers)) == 4
    assert all(0 < len(number) <= 30 for number in numbers)
    assert all(len(claim.control_number) <= 17 for claim in store.rows.values())


async def test_a_finding_holds_the_claim_and_opens_work_for_who_can_mend_it(book: RuleBook) -> None:
    store = FakeClaims()
    facts = await take(store, book, draft(), UNKNOWN)
    assert names(facts) == ["claim.built", "claim.held", "WorkOpened"]
    work = facts[2]
    assert isinstance(work, WorkOpened)
    assert (work.kind, work.reason, work.owner) == ("claim-hold", "edit-01", "front-desk")
    assert only(store).state == "held"


async def test_the_same_charges_again_change_nothing(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft())
    before = only(store)
    assert await take(store, book, draft()) == []
    assert only(store) == before
    assert len(store.events) == 1


async def test_a_claims_id_and_number_are_derived_so_that_a_replay_names_the_same(book: RuleBook) -> None:
    first, second = FakeClaims(), FakeClaims()
    await take(first, book, draft())
    await take(second, book, draft())
    assert only(first).claim_id == only(second).claim_id
    assert only(first).control_number == only(second).control_number


async def test_newer_charges_change_a_claim_that_is_still_here(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    number = only(store).control_number
    facts = await take(store, book, draft(version=2, lines=(line(charge_cents=99),)))
    assert names(facts) == ["claim.built", "WorkClosed"]
    assert (only(store).state, only(store).total_cents, only(store).control_number) == ("ready", 99, number)


async def test_stale_charges_are_ignored(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(version=2))
    assert await take(store, book, draft(version=1, lines=(line(charge_cents=99),))) == []
    assert only(store).total_cents == 21500


async def test_charges_after_the_claim_left_are_noted_and_change_nothing(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    assert await take(store, book, draft(version=2, lines=(line(charge_cents=99),))) == []
    assert only(store) == claim
    assert store.events[-1] == (claim.claim_id, "submitted", "submitted", "charges-after-submission")


async def test_nothing_to_bill_ends_the_journey_without_a_claim_to_send(book: RuleBook) -> None:
    store = FakeClaims()
    facts = await take(store, book, draft(lines=()))
    [moved] = facts
    assert isinstance(moved, ClaimMoved)
    assert (moved.event, moved.claim.state, moved.reason) == ("claim.voided", "closed", "nothing-billable")
    assert await take(store, book, draft(lines=())) == []


async def test_what_was_billed_before_is_a_duplicate(book: RuleBook) -> None:
    store = FakeClaims()
    store.billed = [billed()]
    await take(store, book, draft())
    assert [finding.edit_id for finding in only(store).errors] == ["edit-10"]


async def test_better_answers_release_a_hold(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    _, facts = await handlers.look_again(store, book, only(store).claim_id, ACTIVE, NOW)
    assert names(facts) == ["claim.built", "WorkClosed"]
    assert only(store).state == "ready"
    closed = facts[1]
    assert isinstance(closed, WorkClosed)
    assert (closed.kind, closed.reason) == ("claim-hold", "edit-01")


async def test_answers_that_are_no_better_leave_it_held_without_new_work(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    claim, facts = await handlers.look_again(store, book, only(store).claim_id, UNKNOWN, NOW)
    assert facts == []
    assert claim is not None
    assert claim.state == "held"


async def test_another_reason_to_hold_is_told(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    answers = replace(ACTIVE, authorizations=(AuthorizationAnswer(code="99213", required=True),))
    _, facts = await handlers.look_again(store, book, only(store).claim_id, answers, NOW)
    assert names(facts) == ["claim.held", "WorkOpened"]
    assert only(store).errors[0].edit_id == "edit-06"


async def test_a_claim_that_is_not_held_is_not_looked_at(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft())
    before = only(store)
    assert await handlers.look_again(store, book, before.claim_id, UNKNOWN, NOW) == (before, [])
    assert only(store) == before
    assert await handlers.look_again(store, book, "none", ACTIVE, NOW) == (None, [])


async def release(
    store: FakeClaims, book: RuleBook, waive: tuple[str, ...] = (), number: str = "", answers: Answers = UNKNOWN
) -> tuple[Claim, list[Fact]]:
    return await handlers.release_hold(store, book, only(store).claim_id, waive, number, answers, NOW)


async def test_a_person_overrules_an_edit(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    claim, facts = await release(store, book, ("edit-01",))
    assert (claim.state, claim.waived) == ("ready", ("edit-01",))
    assert names(facts) == ["claim.built", "WorkClosed"]
    assert [finding.edit_id for finding in claim.findings] == ["edit-01"]


async def test_releasing_twice_is_releasing_once(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    first, _ = await release(store, book, ("edit-01",))
    assert await release(store, book, ("edit-01",)) == (first, [])


async def test_another_edit_still_holds(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    claim, facts = await release(store, book, ("edit-09",))
    assert (claim.state, facts) == ("held", [])


async def test_a_person_gives_the_authorization_number(book: RuleBook) -> None:
    store = FakeClaims()
    answers = replace(ACTIVE, authorizations=(AuthorizationAnswer(code="99213", required=True, decision="unknown"),))
    await take(store, book, draft(), answers)
    claim, _ = await release(store, book, number="AUTH7", answers=answers)
    assert (claim.state, claim.authorization_number) == ("ready", "AUTH7")


@pytest.mark.parametrize(("edit", "code"), [("edit-99", "edit-unknown"), ("data-charge", "edit-not-waivable")])
async def test_not_everything_can_be_overruled(book: RuleBook, edit: str, code: str) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    with pytest.raises(Refused) as raised:
        await release(store, book, (edit,))
    assert raised.value.code == code
    assert only(store).state == "held"


async def test_a_claim_that_nobody_knows_is_not_found(book: RuleBook) -> None:
    with pytest.raises(Refused) as raised:
        await handlers.release_hold(FakeClaims(), book, "none", (), "", ACTIVE, NOW)
    assert raised.value.kind == "not_found"


async def test_a_claim_is_submitted_once_however_often_it_is_said(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft())
    made = await handlers.claim_ready(store, "t1", 1, "ISA~", [only(store)], NOW, NOW)
    assert only(store).state == "submitting"
    assert names(await handlers.mark_submitted(store, made.interchange_id, "f1", NOW)) == ["claim.submitted"]
    assert await handlers.mark_submitted(store, made.interchange_id, "f1", NOW) == []
    assert only(store).state == "submitted"


async def test_what_our_own_check_refuses_is_held_with_the_place(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft())
    facts = await handlers.refuse_claim(store, only(store), "837P/2300/CLM02", NOW)
    assert names(facts) == ["claim.held", "WorkOpened"]
    assert [(f.edit_id, f.path) for f in only(store).errors] == [("edit-x12", "837P/2300/CLM02")]


async def test_a_file_that_the_clearinghouse_refuses_holds_its_claims(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft())
    made = await handlers.claim_ready(store, "t1", 1, "ISA~", [only(store)], NOW, NOW)
    facts = await handlers.refuse_batch(store, made.interchange_id, "clearinghouse-refused", NOW)
    assert names(facts) == ["claim.held", "WorkOpened"]
    assert store.confirmed == {made.interchange_id: "clearinghouse-refused"}
    claim, _ = await release(store, book, answers=ACTIVE)
    assert claim.state == "ready"


async def test_acknowledgements_move_the_claim_on(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    known, facts = await handlers.acknowledge_file(store, 1, "received", "999-accepted", NOW)
    assert (known, names(facts), only(store).state) == (True, ["claim.acknowledged"], "received")
    said = Acknowledgment(claim.control_number, "accepted", "277ca-A2-20", "PAYER1")
    known, facts = await handlers.acknowledge_claim(store, said, NOW)
    assert (known, names(facts)) == (True, ["claim.acknowledged"])
    assert (only(store).state, only(store).payer_claim_number) == ("accepted", "PAYER1")


async def test_a_repeated_or_late_acknowledgement_moves_nothing_back(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    await handlers.acknowledge_claim(store, Acknowledgment(claim.control_number, "accepted", "277ca-A2-20"), NOW)
    known, facts = await handlers.acknowledge_file(store, 1, "received", "999-accepted", NOW)
    assert (known, facts, only(store).state) == (True, [], "accepted")
    assert store.events[-1] == (claim.claim_id, "accepted", "accepted", "999-accepted")


async def test_an_envelope_in_order_is_noted_and_acknowledges_nothing_yet(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    assert await handlers.acknowledge_file(store, 1, "submitted", "ta1-000", NOW) == (True, [])
    assert store.events[-1] == (claim.claim_id, "submitted", "submitted", "ta1-000")


async def test_an_answer_proves_that_the_file_arrived(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft())
    await handlers.claim_ready(store, "t1", 1, "ISA~", [only(store)], NOW, NOW)
    _, facts = await handlers.acknowledge_file(store, 1, "received", "999-accepted", NOW)
    assert names(facts) == ["claim.submitted", "claim.acknowledged"]


async def test_a_rejection_opens_work_and_a_correction_sends_the_claim_again(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    _, facts = await handlers.acknowledge_claim(store, Acknowledgment(claim.control_number, "rejected", "r"), NOW)
    assert names(facts) == ["claim.rejected", "WorkOpened"]
    assert isinstance(facts[1], WorkOpened)
    assert (facts[1].kind, facts[1].reason) == ("rejection", "r")
    again, facts = await release(store, book, answers=ACTIVE)
    assert (again.state, again.control_number) == ("ready", claim.control_number)
    assert names(facts) == ["claim.built", "WorkClosed"]
    assert [(a, b) for _, a, b, _ in store.events[-2:]] == [("rejected", "corrected"), ("corrected", "ready")]


async def test_what_was_never_sent_is_unmatched_and_kept(book: RuleBook) -> None:
    store = FakeClaims()
    assert await handlers.acknowledge_file(store, 77, "received", "999-accepted", NOW) == (False, [])
    assert await handlers.acknowledge_claim(store, Acknowledgment("NONE", "accepted", "x"), NOW) == (False, [])
    facts = await handlers.hold_unmatched(store, "f9", "999-unknown-set", NOW)
    assert facts == [FileUnmatched("f9", "999-unknown-set")]
    assert store.unmatched == {"f9": "999-unknown-set"}


@pytest.mark.parametrize("outcome", ["paid", "partly_paid", "denied"])
async def test_a_payment_adjudicates_and_then_decides(book: RuleBook, outcome: str) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    assert await handlers.post_payment(store, claim.claim_id, outcome, "PAYER1", NOW) == []
    assert (only(store).state, only(store).payer_claim_number) == (outcome, "PAYER1")
    assert [(a, b) for _, a, b, _ in store.events[-2:]] == [("submitted", "adjudicated"), ("adjudicated", outcome)]


async def test_an_unknown_outcome_is_kept_and_not_guessed(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    await handlers.post_payment(store, claim.claim_id, "", "", NOW)
    assert only(store).state == "submitted"
    assert store.events[-1][3] == "payment-unknown"


async def test_a_takeback_reverses_and_the_correction_pays_again(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    await handlers.post_payment(store, claim.claim_id, "paid", "", NOW)
    await handlers.reverse_payment(store, claim.claim_id, NOW)
    assert only(store).state == "reversed"
    await handlers.post_payment(store, claim.claim_id, "denied", "", NOW)
    assert only(store).state == "denied"


async def test_a_denied_line_leaves_a_partly_paid_claim_partly_paid(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    await handlers.post_payment(store, claim.claim_id, "partly_paid", "", NOW)
    await handlers.note_denial(store, claim.claim_id, "medical-necessity", NOW)
    assert only(store).state == "partly_paid"
    assert store.events[-1][3] == "denied-medical-necessity"


async def test_an_underpayment_is_a_state_of_its_own(book: RuleBook) -> None:
    store = FakeClaims()
    claim = await submitted(store, book)
    await handlers.post_payment(store, claim.claim_id, "paid", "", NOW)
    await handlers.note_underpayment(store, claim.claim_id, NOW)
    assert only(store).state == "underpaid"


async def test_a_claim_says_whose_it_is_and_whether_a_person_touched_it(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(), UNKNOWN)
    before = only(store)
    assert (before.payer_class, before.rendering_npi, before.touched) == ("commercial", RENDERING, False)
    await handlers.look_again(store, book, before.claim_id, UNKNOWN, NOW)
    assert not only(store).touched
    await release(store, book)  # still held, but looked at by a person
    assert (only(store).state, only(store).touched) == ("held", True)


async def test_a_claim_goes_on_in_the_burst_that_woke_it(book: RuleBook) -> None:
    store = FakeClaims()
    await take(store, book, draft(trace="00-old"), UNKNOWN)
    claim, _ = await handlers.look_again(store, book, only(store).claim_id, ACTIVE, NOW, "00-new")
    assert claim is not None and (claim.state, claim.draft.trace) == ("ready", "00-new")
    claim, _ = await handlers.look_again(store, book, claim.claim_id, ACTIVE, NOW, "00-newer")
    assert claim is not None and claim.draft.trace == "00-new"
