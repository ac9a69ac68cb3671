"""Files out and in, on a real database: one hand-over whatever crashes, and nothing that comes back is lost."""

from __future__ import annotations

import asyncio

import pytest
from gateway_harness import Gateway
from gateway_world import answer, record_of
from kernel.errors import Refused, Unavailable
from rcm.claims.v1 import claims_pb2
from x12 import transaction_sets
from x12.views.claim import read_837p


async def test_charges_go_straight_through_to_the_clearinghouse(gateway: Gateway) -> None:
    await gateway.take()
    assert await gateway.submission.submit_ready(gateway.tenant) == 1
    gateway.box.put("999", answer(1))
    assert await gateway.mailbox.poll(gateway.tenant) == 1
    told = await gateway.told()
    assert [name for name, _ in told] == ["claim.built", "claim.submitted", "claim.acknowledged"]
    assert [body.state for _, body in told] == ["ready", "submitted", "received"]
    [transaction_set] = transaction_sets(gateway.box.sent[0])
    [carried] = read_837p(transaction_set)
    assert carried.control_number == (await gateway.claim()).control_number == told[0][1].control_number


async def test_what_is_sent_twice_at_once_is_one_claim(gateway: Gateway) -> None:
    await asyncio.gather(*(gateway.take() for _ in range(4)))
    assert await gateway.count("select count(*) from claim") == 1
    assert await gateway.names() == ["claim.built"]


async def test_two_senders_at_once_hand_over_each_claim_once(gateway: Gateway) -> None:
    for number in range(6):
        await gateway.take(key=f"visit-{number}", encounter=f"Encounter/e{number}", record=record_of(number))
    await asyncio.gather(*(gateway.submission.submit_ready(gateway.tenant) for _ in range(3)))
    carried = [c.control_number for file in set(gateway.box.sent) for s in transaction_sets(file) for c in read_837p(s)]
    assert len(carried) == len(set(carried)) == 6
    assert (await gateway.names()).count("claim.submitted") == 6


async def test_after_a_lost_answer_the_same_bytes_go_again(gateway: Gateway) -> None:
    await gateway.take()
    gateway.box.trouble = Unavailable("clearinghouse-timeout", "no answer")
    with pytest.raises(Unavailable):
        await gateway.submission.submit_ready(gateway.tenant)
    assert (await gateway.claim()).state == "submitting"
    await gateway.take(key="visit-2", encounter="Encounter/e2", record=record_of(2))
    gateway.box.trouble = None
    await gateway.submission.submit_ready(gateway.tenant)
    first, again, second = gateway.box.sent
    assert first == again != second
    assert (await gateway.names()).count("claim.submitted") == 2
    assert await gateway.submission.submit_ready(gateway.tenant) == 0


async def test_after_a_crash_before_the_hand_over_the_stored_file_goes(gateway: Gateway) -> None:
    await gateway.take()
    stored = await gateway.submission._store_file(gateway.tenant, "SYNPA")
    assert stored is not None
    assert await gateway.submission.submit_ready(gateway.tenant) == 0  # somebody may still be handing it over
    gateway.clock.advance(seconds=11)
    assert await gateway.submission.submit_ready(gateway.tenant) == 1
    assert gateway.box.sent == [stored.content]
    assert (await gateway.claim()).state == "submitted"


async def test_a_refused_file_holds_its_claims(gateway: Gateway) -> None:
    await gateway.take()
    gateway.box.trouble = Refused("clearinghouse-refused", "status 413")
    await gateway.submission.submit_ready(gateway.tenant)
    assert (await gateway.claim()).state == "held"
    assert await gateway.names() == ["claim.built", "claim.held", "work.opened"]
    assert await gateway.submission.submit_ready(gateway.tenant) == 0


async def test_a_claim_that_x12_cannot_carry_is_held_and_the_others_go(gateway: Gateway) -> None:
    record = record_of(9)
    record["Patient"]["name"] = [{"family": "Sample~Alder", "given": ["T"]}]
    await gateway.take(key="bad", encounter="Encounter/e9", record=record)
    await gateway.take()
    await gateway.submission.submit_ready(gateway.tenant)
    listed = await gateway.servicer.ListClaims(claims_pb2.ListClaimsRequest(state="held"), gateway.context())
    assert [[f.edit_id for f in c.findings] for c in listed.claims] == [["edit-x12"]]
    assert len(gateway.box.sent) == 1


async def test_an_answer_to_something_never_sent_is_kept_and_a_person_looks(gateway: Gateway) -> None:
    gateway.box.put("999", answer(4711))
    gateway.box.put("999", b"HELLO")
    gateway.box.put("TA1", None)
    assert await gateway.mailbox.poll(gateway.tenant) == 3
    told = await gateway.told()
    assert [(name, body.kind, body.reason) for name, body in told] == [
        ("work.opened", "unmatched-remittance", "999-unknown-set"),
        ("work.opened", "unmatched-remittance", "mail-not-x12"),
        ("work.opened", "unmatched-remittance", "file-missing"),
    ]
    assert await gateway.count("select count(*) from unmatched_file") == 3
    assert await gateway.count("select count(*) from received_file where content = 'HELLO'") == 1


async def test_a_mailbox_is_read_once(gateway: Gateway) -> None:
    await gateway.take()
    await gateway.submission.submit_ready(gateway.tenant)
    gateway.box.put("999", answer(1))
    await asyncio.gather(gateway.mailbox.poll(gateway.tenant), gateway.mailbox.poll(gateway.tenant))
    assert await gateway.mailbox.poll(gateway.tenant) == 0
    assert (await gateway.names()).count("claim.acknowledged") == 1
    assert await gateway.count("select cursor from mailbox_cursor") == 1


async def test_a_rejected_file_rejects_its_claims_and_a_correction_goes_out_in_another(gateway: Gateway) -> None:
    await gateway.take()
    await gateway.submission.submit_ready(gateway.tenant)
    gateway.box.put("999", answer(1, "R"))
    await gateway.mailbox.poll(gateway.tenant)
    assert (await gateway.claim()).state == "rejected"
    assert (await gateway.release()).state == "ready"
    await gateway.submission.submit_ready(gateway.tenant)
    first, second = gateway.box.sent
    assert first != second
    assert (await gateway.claim()).state == "submitted"
