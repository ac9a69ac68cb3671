"""Claims for people: lists in pages, by filters, and one claim with its file made readable and its history."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_harness import Gateway, Make
from gateway_world import NOW, record_of, verdict
from kernel.errors import Refused, Unreadable
from rcm.claims.v1 import claims_pb2
from rcm.remittance.v1 import remittance_pb2


async def listed(gateway: Gateway, **asked: Any) -> Any:
    return await gateway.servicer.ListClaims(claims_pb2.ListClaimsRequest(**asked), gateway.context())


async def several(gateway: Gateway, count: int) -> list[str]:
    """The control numbers of claims, the first of them rejected; two were built at each instant."""
    for number in range(count):
        await gateway.take(key=f"visit-{number}", encounter=f"Encounter/e{number}", record=record_of(number))
        if number % 2:
            gateway.clock.advance(seconds=60)
        if number == 0:
            await gateway.send()
            await gateway.mail("277CA", verdict(1, (await gateway.claim()).control_number, "A3"))
    page = await listed(gateway, limit=500)
    assert len(page.claims) == count and page.next == ""
    return [claim.control_number for claim in page.claims]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
async def test_pages_are_the_whole_list_the_newest_first(gateway: Gateway, limit: int) -> None:
    whole = await several(gateway, 7)
    seen, after = [], ""
    for _ in range(8):
        page = await listed(gateway, limit=limit, after=after)
        seen += [claim.control_number for claim in page.claims]
        after = page.next
        if not after:
            break
    assert seen == whole and after == ""
    encounters = [claim.encounter for claim in (await listed(gateway)).claims]
    assert [sorted(encounters[at : at + 2]) for at in (1, 3, 5)] == [
        ["Encounter/e4", "Encounter/e5"],
        ["Encounter/e2", "Encounter/e3"],
        ["Encounter/e0", "Encounter/e1"],
    ]


async def test_claims_are_found_by_what_they_are(gateway: Gateway, make: Make) -> None:
    whole = await several(gateway, 4)

    async def found(**asked: Any) -> list[str]:
        return [claim.encounter for claim in (await listed(gateway, **asked)).claims]

    assert await found(state="rejected") == ["Encounter/e0"]
    assert len(await found(state="ready")) == 3 and await found(state="paid") == []
    assert len(await found(payer_id="SYNPA")) == 4 and await found(payer_id="SYNPB") == []
    assert await found(text="Encounter/e2") == await found(text="e2") == ["Encounter/e2"]
    assert await found(text=whole[0]) == [claim.encounter for claim in (await listed(gateway, limit=1)).claims]
    [claim] = (await listed(gateway, text="e1")).claims
    assert await found(text=claim.claim_id) == ["Encounter/e1"]
    assert await found(text="e") == [] and await found(text="%") == []
    assert await found(text="e0", state="ready") == []
    assert len(await found(journey_id=claim.journey_id)) == 4 and await found(journey_id="f" * 32) == []
    other = await make(f"{gateway.tenant}-other")
    assert not (await listed(other)).claims and not (await listed(other, text=whole[0])).claims


async def test_the_payers_number_finds_the_claim(gateway: Gateway) -> None:
    await gateway.take()
    await gateway.send()
    id = (await gateway.claim()).claim_id
    body = remittance_pb2.PaymentPosted(claim_id=id, outcome="paid", payer_claim_number="ICN77")
    await gateway.hear("payment.posted", body, gateway.events.post_payment)
    [found] = (await listed(gateway, text="ICN77")).claims
    assert (found.claim_id, found.payer_claim_number, found.state) == (id, "ICN77", "paid")
    assert not (await listed(gateway, text="ICN7")).claims


@pytest.mark.parametrize("token", ["x", "bm90aGluZw==", "MjAyNi0wMS0wMVQwMDowMDowMHx4", "é"])
async def test_a_token_that_is_none_is_unreadable(gateway: Gateway, token: str) -> None:
    with pytest.raises(Unreadable, match="page-token"):
        await listed(gateway, after=token)


async def test_a_summary_says_how_the_claim_stands(gateway: Gateway) -> None:
    await several(gateway, 1)
    [claim] = (await listed(gateway)).claims
    assert (claim.state, claim.reason, claim.payer_class) == ("rejected", "277ca-A3-33", "commercial")
    assert (claim.frequency, claim.responsibility, claim.filing_deadline) == ("1", 1, "2026-09-12")
    assert claim.created_at.ToDatetime() == claim.changed_at.ToDatetime() == NOW.replace(tzinfo=None)
    [opened] = [body for name, body in await gateway.told() if name == "work.opened"]
    assert claim.work_id == opened.work_id
    await gateway.resubmit("k1")
    [claim] = (await listed(gateway)).claims
    assert (claim.state, claim.work_id, claim.touched) == ("ready", "", True)


async def test_one_claim_shows_its_file_and_its_history(gateway: Gateway) -> None:
    await several(gateway, 1)
    id = (await gateway.claim()).claim_id
    found = await gateway.servicer.GetClaim(claims_pb2.GetClaimRequest(claim_id=id), gateway.context())
    assert [(step.from_state, step.to_state, step.reason) for step in found.history] == [
        ("draft", "ready", "clean"),
        ("ready", "submitting", "batched"),
        ("submitting", "submitted", "handed-over"),
        ("submitted", "rejected", "277ca-A3-33"),
    ]
    assert all(step.happened_at.ToDatetime() == NOW.replace(tzinfo=None) for step in found.history)
    assert any("SAMPLE-ALDER" in line.upper() for line in found.readable)
    assert found.x12.startswith("ISA") and found.claim_json
    request = claims_pb2.GetClaimRequest(claim_id=id, masked=True)
    masked = await gateway.servicer.GetClaim(request, gateway.context())
    assert len(masked.readable) == len(found.readable) and not masked.x12 and not masked.claim_json
    assert not any("SAMPLE-ALDER" in line.upper() for line in masked.readable)


async def test_before_it_was_sent_there_is_no_file(gateway: Gateway) -> None:
    await gateway.take()
    id = (await gateway.claim()).claim_id
    found = await gateway.servicer.GetClaim(claims_pb2.GetClaimRequest(claim_id=id), gateway.context())
    assert not found.x12 and not found.readable and [step.to_state for step in found.history] == ["ready"]
    with pytest.raises(Refused, match="claim-not-found"):
        await gateway.servicer.GetClaim(claims_pb2.GetClaimRequest(claim_id="none"), gateway.context())
