"""The gateway on a real database: one claim whatever is sent twice, one hand-over whatever crashes, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from bus import Database, Event, Timer
from bus.event import decode, open_envelope
from claims_gateway.entry_events import LOOK_AGAIN, EventEntry
from claims_gateway.entry_grpc import ClaimsServicer
from claims_gateway.entry_mailbox import Mailbox
from claims_gateway.entry_submission import Submission
from claims_gateway.model import Answers, AuthorizationAnswer, CoverageAnswer, Draft
from claims_gateway.rules import RuleBook
from claims_gateway.store import Claims
from clearinghouse import MailFile
from gateway_world import ACTIVE, JOURNEY, NOW, SENDER, SERVED, answer, charges, line, record_of
from kernel.clock import FixedClock
from kernel.errors import Refused, Unavailable
from platform_fixture import Platform
from rcm.claims.v1 import claims_pb2
from rcm.eligibility.v1 import eligibility_pb2
from rcm.priorauth.v1 import priorauth_pb2
from rcm.remittance.v1 import remittance_pb2
from x12 import transaction_sets
from x12.views.claim import read_837p

UNKNOWN = Answers(CoverageAnswer(status="unknown", on=SERVED, reason="timeout"))
NEEDED = (AuthorizationAnswer(code="99213", required=True),)
GRANTED = (replace(NEEDED[0], decision="approved", number="AUTH00000001"),)


@dataclass
class FakeOthers:
    """Eligibility and prior-auth, with the answers that a test sets."""

    said: Answers = ACTIVE
    away: bool = False
    asked: int = 0

    async def answers(self, tenant: str, draft: Draft) -> Answers:
        self.asked += 1
        if self.away:
            raise Unavailable("away", "away")
        return self.said

    async def coverage(self, tenant: str, draft: Draft) -> CoverageAnswer | None:
        return (await self.answers(tenant, draft)).coverage

    async def authorizations(self, tenant: str, draft: Draft) -> tuple[AuthorizationAnswer, ...]:
        return (await self.answers(tenant, draft)).authorizations


@dataclass
class FakeBox:
    """A clearinghouse that keeps what it is sent; `trouble` is raised after the file has arrived."""

    sent: list[str] = field(default_factory=list)
    files: list[tuple[MailFile, bytes | None]] = field(default_factory=list)
    trouble: Exception | None = None

    async def realtime(self, x12: str, timeout_s: float = 20.0) -> str:
        raise Refused("no", "not here")

    async def send_batch(self, x12: str, name: str) -> str:
        self.sent.append(x12)
        if self.trouble:
            raise self.trouble
        return f"f{len(self.sent)}"

    async def list_files(self, kinds: Sequence[str], after: int, limit: int = 100) -> list[MailFile]:
        return [file for file, _ in self.files if file.cursor > after and file.kind in kinds][:limit]

    async def fetch(self, id: str) -> bytes:
        content = next(content for file, content in self.files if file.id == id)
        if content is None:
            raise Refused("gone", "gone", kind="not_found")
        return content

    def put(self, kind: str, content: bytes | None) -> None:
        number = len(self.files) + 1
        self.files.append((MailFile(f"m{number}", kind, number), content))


@dataclass
class Gateway:
    """The service without its process: entries wired to fakes on the outside and a real database inside."""

    tenant: str
    database: Database
    clock: FixedClock
    others: FakeOthers
    box: FakeBox
    events: EventEntry
    submission: Submission
    mailbox: Mailbox
    servicer: ClaimsServicer

    async def hear(self, type: str, body: Any, handle: Any, prepare: Any = None, number: int = 1) -> None:
        """What the bus does with a fact."""
        event = Event(f"ev-{number}", type, self.tenant, JOURNEY, "Encounter/e1", 0, NOW, "", body)
        prepared = await prepare(event) if prepare else None
        async with self.database.unit(self.tenant, event) as unit:
            await handle(unit, event, prepared)

    async def take(self, **changed: Any) -> None:
        await self.hear("charges.captured", charges(**changed), self.events.take_charges, self.events.ask_for_charges)

    async def claim(self) -> claims_pb2.ClaimSummary:
        [claim] = (await self.servicer.ListClaims(claims_pb2.ListClaimsRequest(), self.context())).claims
        return claim

    async def told(self) -> list[tuple[str, Any]]:
        """Facts in the outbox, in order."""
        async with self.database.transaction(self.tenant) as conn:
            rows = await conn.fetch("select envelope from outbox order by position")
        events = [decode(open_envelope(row["envelope"]), {}) for row in rows]
        return [(event.type, event.body) for event in events]

    async def names(self) -> list[str]:
        return [name for name, _ in await self.told()]

    async def count(self, query: str) -> int:
        async with self.database.transaction(self.tenant) as conn:
            return await conn.fetchval(query)

    def context(self) -> Any:
        return Context(self.tenant)

    async def release(self, **request: Any) -> claims_pb2.ClaimSummary:
        id = (await self.claim()).claim_id
        answer = await self.servicer.ReleaseHold(claims_pb2.ReleaseHoldRequest(claim_id=id, **request), self.context())
        return answer.claim


@dataclass
class Context:
    tenant: str

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return [("rcm-tenant", self.tenant)]


Make = Callable[[str], Awaitable[Gateway]]


@pytest.fixture
async def make(platform: Platform, book: RuleBook) -> AsyncIterator[Make]:
    clock = FixedClock(NOW)
    database = Database(platform.url_for("claims-gateway"), "claims_gateway", clock, pool_size=5)
    await database.open()

    async def gateway(tenant: str) -> Gateway:
        others, box = FakeOthers(), FakeBox()
        senders, boxes = {tenant: SENDER}, {tenant: box}
        return Gateway(
            tenant,
            database,
            clock,
            others,
            box,
            EventEntry(database, others, book, 900.0),
            Submission(database, book, senders, boxes, 100, 0.01, 10.0),
            Mailbox(database, boxes, {tenant: "THROUGHLINE"}, 0.01),
            ClaimsServicer(database, others, book, senders),
        )

    yield gateway
    await database.close()


@pytest.fixture
async def gateway(make: Make, tenant: str) -> Gateway:
    return await make(tenant)


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
    for wait in (900, 1800):
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
