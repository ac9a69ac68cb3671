"""A database that is older than what was sent: nothing goes out twice, no ISA13 is used again, answers are not lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from claims_gateway.entry_submission import SKIPPED_NUMBERS, Restore
from claims_gateway.model import Answers, CoverageAnswer
from gateway_harness import Gateway
from gateway_world import ACTIVE, NOW, answer, record_of, verdict
from x12 import transaction_sets
from x12.views.claim import read_837p

_UNVERIFIED = Answers(CoverageAnswer(status="unknown", on=None, reason="timeout"))


def restored(gateway: Gateway, wait_s: float) -> None:
    gateway.submission = replace(gateway.submission, restore=Restore(NOW, wait_s, gateway.mailbox.poll))


def control_of(file: str) -> int:
    [transaction_set] = transaction_sets(file)
    return int(transaction_set.group.get(6))


async def forget(gateway: Gateway) -> None:
    """What a restore does to a claim that was built after the backup."""
    async with gateway.database.transaction(gateway.tenant) as conn:
        for table in ("claim", "claim_event", "billed_line", "interchange", "control_sequence"):
            await conn.execute(f"delete from {table}")


async def test_a_claim_that_is_built_again_has_the_number_that_is_known_outside(gateway: Gateway) -> None:
    await gateway.take()
    before = (await gateway.claim()).control_number
    await forget(gateway)
    await gateway.take()
    assert (await gateway.claim()).control_number == before
    assert len(before) == 17 and before[0].isalpha()


async def test_two_encounters_have_different_numbers(gateway: Gateway) -> None:
    for number in (1, 2):
        await gateway.take(key=f"visit-{number}", encounter=f"Encounter/e{number}", record=record_of(number))
    assert await gateway.count("select count(distinct control_number) from claim") == 2


async def test_nothing_goes_out_before_the_wait_after_a_restore_is_over(gateway: Gateway) -> None:
    restored(gateway, 60)
    await gateway.take()
    assert await gateway.send() == 0 and gateway.box.sent == []
    gateway.clock.advance(seconds=61)
    assert await gateway.send() == 1
    assert (await gateway.claim()).state == "submitted"


async def test_all_answers_are_read_before_anything_goes_out(gateway: Gateway) -> None:
    restored(gateway, 0)
    await gateway.take()
    number = (await gateway.claim()).control_number
    for _ in range(130):  # more than a page of the mailbox
        gateway.box.put("999", answer(1))
    gateway.box.put("277CA", verdict(7, number, "A2"))
    assert await gateway.send() == 0 and gateway.box.sent == []
    assert (await gateway.claim()).state == "accepted"


async def test_interchange_numbers_go_on_past_those_of_the_lost_time_once(gateway: Gateway) -> None:
    await gateway.take()
    assert await gateway.send() == 1
    for _ in range(2):  # started twice with the same setting
        restored(gateway, 0)
        assert await gateway.send() == 0
    await gateway.take(key="visit-2", encounter="Encounter/e2", record=record_of(2))
    assert await gateway.send() == 1
    assert [control_of(file) for file in gateway.box.sent] == [1, 2 + SKIPPED_NUMBERS]


async def test_a_later_restore_skips_again(gateway: Gateway) -> None:
    restored(gateway, 0)
    await gateway.send()
    gateway.submission = replace(gateway.submission, restore=Restore(NOW + timedelta(days=1), 0, gateway.mailbox.poll))
    gateway.clock.advance(days=2)
    await gateway.take()
    assert await gateway.send() == 1
    assert control_of(gateway.box.sent[0]) == 1 + 2 * SKIPPED_NUMBERS


async def test_a_ready_claim_that_the_clearinghouse_has_is_not_sent_again(gateway: Gateway) -> None:
    await gateway.take()
    number = (await gateway.claim()).control_number
    await gateway.mail("277CA", verdict(7, number, "A2"))
    assert (await gateway.claim()).state == "accepted"
    assert await gateway.send() == 0 and gateway.box.sent == []
    assert await gateway.names() == ["claim.built", "claim.submitted", "claim.acknowledged"]


async def test_a_held_claim_that_the_clearinghouse_has_is_no_longer_held(gateway: Gateway) -> None:
    gateway.others.said = _UNVERIFIED
    await gateway.take()
    held = await gateway.claim()
    assert held.state == "held"
    await gateway.mail("277CA", verdict(7, held.control_number, "A3"))
    assert (await gateway.claim()).state == "rejected"
    names = await gateway.names()
    assert names[-5:] == ["claim.built", "work.closed", "claim.submitted", "claim.rejected", "work.opened"]
    gateway.others.said = ACTIVE
    assert await gateway.send() == 0


async def test_an_answer_that_names_no_file_does_not_stop_a_claim_from_going_out(gateway: Gateway) -> None:
    await gateway.take()
    number = (await gateway.claim()).control_number
    said = verdict(7, number, "A2").replace(b"TRN*2*000000007", b"TRN*2*NONE")
    await gateway.mail("277CA", said)
    assert (await gateway.claim()).state == "ready"
    assert await gateway.send() == 1


async def test_an_answer_that_came_before_its_claim_was_built_again_is_taken_then(gateway: Gateway) -> None:
    await gateway.take()
    number = (await gateway.claim()).control_number
    await forget(gateway)
    await gateway.mail("277CA", verdict(7, number, "A2"))
    assert await gateway.count("select count(*) from unmatched_file") == 1
    await gateway.take()
    await gateway.take(key="visit-2", encounter="Encounter/e2", record=record_of(2))
    assert await gateway.send() == 1
    [transaction_set] = transaction_sets(gateway.box.sent[0])
    assert number not in {claim.control_number for claim in read_837p(transaction_set)}
    states = await gateway.count("select string_agg(state, ' ' order by state) from claim")
    assert states == "accepted submitted"


async def test_a_999_of_the_lost_time_moves_no_claim(gateway: Gateway) -> None:
    restored(gateway, 0)
    await gateway.take()
    assert await gateway.send() == 1
    await gateway.mail("999", answer(1, "R"))  # number 1 was another file, before the restore
    assert (await gateway.claim()).state == "submitted"
    assert await gateway.count("select count(*) from unmatched_file") == 1
