"""A rejected claim, corrected, goes out again: once per key, as an original; no late word on the first file counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from gateway_harness import Gateway
from gateway_world import answer, record_of, verdict
from kernel.errors import Refused
from rcm.claims.v1 import claims_pb2
from rcm.remittance.v1 import remittance_pb2
from x12 import transaction_sets
from x12.views.claim import Claim837, read_837p


async def rejected(gateway: Gateway, **changed: Any) -> claims_pb2.ClaimSummary:
    """The claim, sent in file 1 and rejected by its 277CA."""
    await gateway.take(**changed)
    await gateway.send()
    await gateway.mail("277CA", verdict(1, (await gateway.claim()).control_number, "A3"))
    found = await gateway.claim()
    assert found.state == "rejected"
    return found


def carried(content: str) -> Claim837:
    [transaction_set] = transaction_sets(content)
    [claim] = read_837p(transaction_set)
    return claim


async def test_a_rejected_claim_goes_out_again_and_ends_paid(gateway: Gateway) -> None:
    first = await rejected(gateway)
    again = await gateway.resubmit("k1")
    assert (again.state, again.control_number, again.frequency) == ("ready", first.control_number, "1")
    assert again.touched and not first.touched
    assert await gateway.send() == 1
    await gateway.mail("999", answer(2))
    await gateway.mail("277CA", verdict(2, first.control_number, "A2"))
    paid = remittance_pb2.PaymentPosted(claim_id=first.claim_id, outcome="paid", payer_claim_number="ICN1")
    await gateway.hear("payment.posted", paid, gateway.events.post_payment)
    assert (await gateway.claim()).state == "paid"
    told = await gateway.told()
    assert [name for name, _ in told] == [
        "claim.built", "claim.submitted", "claim.rejected", "work.opened",
        "claim.built", "work.closed", "claim.submitted", "claim.acknowledged", "claim.acknowledged",
    ]  # fmt: skip
    opened, closed = told[3][1], told[5][1]
    assert (opened.kind, opened.work_id, closed.outcome) == ("rejection", closed.work_id, "resolved")
    built = told[4][1]
    assert (built.from_state, built.state, built.touched) == ("rejected", "ready", True)
    assert [body.touched for name, body in told if name.startswith("claim.")] == [False] * 3 + [True] * 4


async def test_it_leaves_in_a_new_file_as_an_original(gateway: Gateway) -> None:
    """The payer never adjudicated it, so there is nothing that a frequency 7 could replace."""
    await rejected(gateway)
    await gateway.resubmit("k1")
    await gateway.send()
    before, after = map(carried, gateway.box.sent)
    assert (after.frequency, after.payer_claim_control) == ("1", "")
    assert before.control_number == after.control_number
    assert [line.line_control for line in before.lines] == [line.line_control for line in after.lines]
    controls = [next(transaction_sets(file)).interchange.get(13) for file in gateway.box.sent]
    assert controls == ["000000001", "000000002"]


async def test_a_late_word_about_the_first_file_moves_nothing(gateway: Gateway) -> None:
    first = await rejected(gateway)
    await gateway.resubmit("k1")
    await gateway.mail("277CA", verdict(1, first.control_number, "A3"))
    assert (await gateway.claim()).state == "ready"
    await gateway.send()
    await gateway.mail("277CA", verdict(1, first.control_number, "A7"))
    await gateway.mail("277CA", verdict(1, first.control_number, "A2"))
    assert (await gateway.claim()).state == "submitted"
    await gateway.mail("277CA", verdict(2, first.control_number, "A2"))
    assert (await gateway.claim()).state == "accepted"
    assert (await gateway.names()).count("claim.rejected") == 1


async def test_the_same_key_is_one_resubmission_even_after_another_rejection(gateway: Gateway) -> None:
    first = await rejected(gateway)
    answers = [await gateway.resubmit("k1") for _ in range(2)]
    assert answers[0] == answers[1]
    await gateway.send()
    await gateway.mail("277CA", verdict(2, first.control_number, "A3"))
    assert await gateway.resubmit("k1") == answers[0]
    assert (await gateway.claim()).state == "rejected"
    assert (await gateway.resubmit("k2")).state == "ready"
    assert await gateway.send() == 1 and len(gateway.box.sent) == 3


async def test_two_at_once_resubmit_once(gateway: Gateway) -> None:
    await rejected(gateway)
    keys = ["k1", "k1", "k2", ""]
    answers = await asyncio.gather(*(gateway.resubmit(key) for key in keys))
    assert {claim.state for claim in answers} == {"ready"}
    assert await gateway.send() == 1 and await gateway.send() == 0
    assert (await gateway.names()).count("work.closed") == 1


async def test_a_key_stands_for_one_correction(gateway: Gateway) -> None:
    await rejected(gateway)
    await gateway.resubmit("k1")
    with pytest.raises(Refused, match="idempotency-key-reused"):
        await gateway.resubmit("k1", authorization_number="AUTH9")


@pytest.mark.parametrize("key", ["", "k1"])
async def test_only_what_was_rejected_goes_out_again(gateway: Gateway, key: str) -> None:
    await gateway.take()
    with pytest.raises(Refused, match="claim-not-rejected"):
        await gateway.resubmit(key)
    await gateway.send()
    with pytest.raises(Refused, match="claim-not-rejected"):
        await gateway.resubmit(key)
    assert (await gateway.claim()).state == "submitted"
    with pytest.raises(Refused, match="claim-not-found"):
        request = claims_pb2.ResubmitClaimRequest(claim_id="none", idempotency_key="k9")
        await gateway.servicer.ResubmitClaim(request, gateway.context())


@pytest.mark.parametrize(("edit", "code"), [("edit-99", "edit-unknown"), ("data-charge", "edit-not-waivable")])
async def test_what_cannot_be_waived_leaves_the_claim_rejected(gateway: Gateway, edit: str, code: str) -> None:
    await rejected(gateway)
    with pytest.raises(Refused, match=code):
        await gateway.resubmit("k1", waive=[edit])
    assert (await gateway.claim()).state == "rejected"
    assert (await gateway.resubmit("k1")).state == "ready"  # a refusal uses no key up


async def test_the_correction_goes_along(gateway: Gateway) -> None:
    await rejected(gateway)
    claim = await gateway.resubmit("k1", authorization_number="AUTH9", waive=["edit-09"])
    assert list(claim.waived) == ["edit-09"]
    await gateway.send()
    assert carried(gateway.box.sent[-1]).prior_authorization == "AUTH9"


async def test_a_member_id_that_was_wrong_is_corrected(gateway: Gateway) -> None:
    first = await rejected(gateway)
    await gateway.resubmit("k1", member_id="SYN000999888")
    await gateway.send()
    before, after = map(carried, gateway.box.sent)
    assert before.subscriber.member_id == "SYN000111222" and after.subscriber.member_id == "SYN000999888"
    assert replace(after.subscriber, member_id=before.subscriber.member_id) == before.subscriber
    assert after.control_number == first.control_number


async def test_what_the_edits_find_holds_it_again(gateway: Gateway) -> None:
    """Coverage is asked about anew, as on a release."""
    await rejected(gateway)
    gateway.others.said = gateway.others.said.__class__()
    claim = await gateway.resubmit("k1")
    assert claim.state == "held" and claim.findings[0].edit_id == "edit-01"
    assert (await gateway.names())[-4:] == ["claim.built", "claim.held", "work.opened", "work.closed"]
    assert (await gateway.release(waive=["edit-01"])).state == "ready"


async def test_others_that_are_away_stop_nobody(gateway: Gateway) -> None:
    await rejected(gateway)
    gateway.others.away = True
    assert (await gateway.resubmit("k1")).state == "ready"


async def test_charges_that_were_corrected_meanwhile_go_along(gateway: Gateway) -> None:
    """The member id was wrong: the record is mended, and a person sends the claim again."""
    first = await rejected(gateway)
    record = record_of(1)
    record["Coverage"]["subscriberId"] = "SYN000999888"
    await gateway.take(record=record)
    assert (await gateway.claim()).state == "rejected"
    await gateway.resubmit("k1")
    await gateway.send()
    before, after = map(carried, gateway.box.sent)
    assert before.subscriber.member_id != after.subscriber.member_id == "SYN000999888"
    assert after.control_number == first.control_number
    found = await gateway.servicer.GetClaim(claims_pb2.GetClaimRequest(claim_id=first.claim_id), gateway.context())
    assert "charges-corrected" in [step.reason for step in found.history]


async def test_an_appeal_waits_for_the_payers_next_answer(gateway: Gateway) -> None:
    await gateway.take()
    await gateway.send()
    id = (await gateway.claim()).claim_id

    async def posts(outcome: str) -> None:
        body = remittance_pb2.PaymentPosted(claim_id=id, outcome=outcome)
        await gateway.hear("payment.posted", body, gateway.events.post_payment)

    async def appeals() -> None:
        body = remittance_pb2.ClaimDenied(claim_id=id, category="authorization")
        await gateway.hear("claim.appealed", body, gateway.events.note_appeal)

    await appeals()
    assert (await gateway.claim()).state == "submitted"  # noted, and in nobody's way
    await posts("denied")
    await appeals()
    assert (await gateway.claim()).state == "appealed"
    await appeals()
    assert (await gateway.claim()).state == "appealed"
    await posts("paid")
    found = await gateway.servicer.GetClaim(claims_pb2.GetClaimRequest(claim_id=id), gateway.context())
    assert [(step.from_state, step.to_state) for step in found.history][-3:] == [
        ("appealed", "appealed"),
        ("appealed", "adjudicated"),
        ("adjudicated", "paid"),
    ]
