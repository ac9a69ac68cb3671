"""Facts, timers and calls, on a real database: who is told what, who waits for whom, who may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bus import Timer
from claims_gateway.entry_events import LOOK_AGAIN
from claims_gateway.model import Answers, AuthorizationAnswer, CoverageAnswer
from claims_gateway.store import Claims
from gateway_harness import Gateway, Make
from gateway_world import ACTIVE, NOW, SERVED, line
from kernel.errors import Refused, Unavailable
from rcm.claims.v1 import claims_pb2
from rcm.eligibility.v1 import eligibility_pb2
from rcm.priorauth.v1 import priorauth_pb2
from rcm.remittance.v1 import remittance_pb2

UNKNOWN = Answers(CoverageAnswer(status="unknown", on=SERVED, reason="timeout"))
NEEDED = (AuthorizationAnswer(code="99213", required=True),)
GRANTED = (replace(NEEDED[0], decision="approved", number="AUTH00000001"),)


def verified(status: Any, date: str = SERVED.isoformat()) -> eligibility_pb2.CoverageVerified:
    verification = eligibility_pb2.CoverageVerification(status=status, date=date, payer_id="SYNPA")
    return eligibility_pb2.CoverageVerified(verification=verification, coverage="Coverage/c1")


async def hear_coverage(gateway: Gateway, body: eligibility_pb2.CoverageVerified) -> None:
    await gateway.hear("coverage.verified", body, gateway.events.look_again, gateway.events.ask_after_coverage)


async def test_verified_coverage_releases_the_claim_that_waited(gateway: Gateway) -> None:
    gateway.others.said = UNKNOWN
    await gateway.take()
    await hear_coverage(gateway, verified(eligibility_pb2.COVERAGE_STATUS_UNKNOWN))
    assert (await gateway.claim()).state == "held"
    assert gateway.others.asked == 1
    await hear_coverage(gateway, verified(eligibility_pb2.COVERAGE_STATUS_ACTIVE))
    assert (await gateway.claim()).state == "ready"
    assert await gateway.names() == ["claim.built", "claim.held", "work.opened", "claim.built", "work.closed"]


async def test_coverage_of_another_day_is_asked_for_again(gateway: Gateway) -> None:
    gateway.others.said = UNKNOWN
    await gateway.take()
    await hear_coverage(gateway, verified(eligibility_pb2.COVERAGE_STATUS_ACTIVE, "2026-01-01"))
    assert gateway.others.asked == 2
    assert (await gateway.claim()).state == "held"


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, "ready"),
        ({"encounter": "", "order": "ServiceRequest/other"}, "ready"),
        ({"encounter": "Encounter/other"}, "held"),
        ({"encounter": "", "code": "70551"}, "held"),
        ({"payer": "SYNPB"}, "held"),
    ],
)
async def test_an_authorization_releases_the_claims_that_it_covers(
    gateway: Gateway, changed: dict[str, str], state: str
) -> None:
    gateway.others.said = replace(ACTIVE, authorizations=NEEDED)
    await gateway.take()
    gateway.others.said = replace(ACTIVE, authorizations=GRANTED)
    body = priorauth_pb2.AuthorizationDetermined(
        encounter=changed.get("encounter", "Encounter/e1"),
        authorization=priorauth_pb2.Authorization(
            payer_id=changed.get("payer", "SYNPA"), code=changed.get("code", "99213"), order=changed.get("order", "")
        ),
    )
    await gateway.hear(
        "authorization.determined", body, gateway.events.look_again, gateway.events.ask_after_authorization
    )
    assert (await gateway.claim()).state == state


async def test_a_held_claim_asks_again_by_itself_and_less_often(gateway: Gateway) -> None:
    gateway.others.said = UNKNOWN
    await gateway.take()
    for wait in (2, 900, 1800):
        timer = await open_timer(gateway)
        assert timer.due_at == NOW + timedelta(seconds=wait)
        await run_timer(gateway, timer)
    gateway.others.said = ACTIVE
    await run_timer(gateway, await open_timer(gateway))
    assert (await gateway.claim()).state == "ready"
    assert await gateway.count("select count(*) from timer") == 0


async def open_timer(gateway: Gateway) -> Timer:
    async with gateway.database.transaction(gateway.tenant) as conn:
        row = await conn.fetchrow(
            "select tenant, kind, key, due_at, payload, journey_id, trace, attempts from timer where kind = $1",
            LOOK_AGAIN,
        )
    return Timer(**dict(row))


async def run_timer(gateway: Gateway, timer: Timer) -> None:
    """What the bus does with a timer that is due."""
    prepared = await gateway.events.ask_late(timer)
    async with gateway.database.unit(gateway.tenant) as unit:
        await unit.cancel(timer.kind, timer.key)
        await gateway.events.look_again_late(unit, timer, prepared)


async def test_a_person_may_release_while_the_others_are_away(gateway: Gateway) -> None:
    gateway.others.said = UNKNOWN
    await gateway.take()
    gateway.others.away = True
    assert (await gateway.release(waive=["edit-01"])).state == "ready"
    assert (await gateway.release(waive=["edit-01"])).state == "ready"
    assert (await gateway.names()).count("work.closed") == 1


async def test_charges_wait_while_the_others_are_away(gateway: Gateway) -> None:
    gateway.others.away = True
    with pytest.raises(Unavailable):
        await gateway.take()
    assert await gateway.count("select count(*) from claim") == 0


async def test_money_moves_the_claim(gateway: Gateway) -> None:
    await gateway.take()
    await gateway.submission.submit_ready(gateway.tenant)
    id = (await gateway.claim()).claim_id
    posted = remittance_pb2.PaymentPosted(claim_id=id, outcome="paid")
    await gateway.hear("payment.posted", posted, gateway.events.post_payment)
    assert (await gateway.claim()).state == "paid"
    steps = "select string_agg(to_state, ' ' order by number) from claim_event"
    assert await gateway.count(steps) == "ready submitting submitted adjudicated paid"


async def test_get_claim_shows_what_was_sent_and_only_this_claim(gateway: Gateway) -> None:
    await gateway.take()
    id = (await gateway.claim()).claim_id
    request = claims_pb2.GetClaimRequest(claim_id=id)
    assert (await gateway.servicer.GetClaim(request, gateway.context())).x12 == ""
    await gateway.submission.submit_ready(gateway.tenant)
    found = await gateway.servicer.GetClaim(request, gateway.context())
    assert found.x12 == gateway.box.sent[0]
    assert found.claim.state == "submitted"


async def test_another_tenant_sees_nothing(gateway: Gateway, make: Make) -> None:
    await gateway.take()
    id = (await gateway.claim()).claim_id
    other = await make(f"{gateway.tenant}x")
    with pytest.raises(Refused) as raised:
        await other.servicer.GetClaim(claims_pb2.GetClaimRequest(claim_id=id), other.context())
    assert raised.value.kind == "not_found"
    assert await other.submission.submit_ready(other.tenant) == 0
    assert await other.count("select count(*) from claim") == 0


async def test_the_second_visit_with_the_same_service_is_a_duplicate(gateway: Gateway) -> None:
    await gateway.take()
    await gateway.take(key="visit-2")
    listed = await gateway.servicer.ListClaims(claims_pb2.ListClaimsRequest(state="held"), gateway.context())
    assert {f.edit_id for c in listed.claims for f in c.findings} == {"edit-10"}


async def test_a_changed_claim_keeps_its_lines_once(gateway: Gateway) -> None:
    await gateway.take()
    async with gateway.database.unit(gateway.tenant) as unit:
        store = Claims(unit.conn)
        claim = await store.find("visit-1", "SYNPA", 1)
        assert claim is not None
        await store.replace_lines(replace(claim, draft=replace(claim.draft, lines=(line(),))))
    assert await gateway.count("select count(*) from billed_line") == 1


async def test_control_numbers_rise_without_gaps(gateway: Gateway) -> None:
    found = []
    for _ in range(3):
        async with gateway.database.unit(gateway.tenant) as unit:
            found.append(await Claims(unit.conn).next_control_number("interchange"))
    assert found == [1, 2, 3]
