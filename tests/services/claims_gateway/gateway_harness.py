"""The service without its process: entries wired to fakes on the outside and to a real database inside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bus import Database, Event
from bus.event import decode, open_envelope
from bus.once import Once
from claims_gateway.entry_events import EventEntry
from claims_gateway.entry_fhir import FhirEntry
from claims_gateway.entry_grpc import ClaimsServicer
from claims_gateway.entry_mailbox import Mailbox
from claims_gateway.entry_submission import Submission
from claims_gateway.model import Answers, AuthorizationAnswer, CoverageAnswer, Draft
from claims_gateway.rules import RuleBook
from clearinghouse import MailFile
from gateway_world import ACTIVE, JOURNEY, NOW, SENDER, charges
from kernel.clock import FixedClock
from kernel.errors import Refused, Unavailable
from rcm.claims.v1 import claims_pb2


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

    async def resubmit(self, key: str = "", **request: Any) -> claims_pb2.ClaimSummary:
        id = (await self.claim()).claim_id
        asked = claims_pb2.ResubmitClaimRequest(claim_id=id, **request)
        return (await self.servicer.ResubmitClaim(asked, Context(self.tenant, key))).claim

    async def send(self) -> int:
        return await self.submission.submit_ready(self.tenant)

    async def mail(self, kind: str, content: bytes) -> None:
        self.box.put(kind, content)
        await self.mailbox.poll(self.tenant)


@dataclass
class Context:
    tenant: str
    key: str = ""

    def invocation_metadata(self) -> list[tuple[str, str]]:
        return [("rcm-tenant", self.tenant), ("idempotency-key", self.key)]


Make = Callable[[str], Awaitable[Gateway]]


def gateway_on(database: Database, clock: FixedClock, book: RuleBook, tenant: str) -> Gateway:
    others, box = FakeOthers(), FakeBox()
    senders, boxes = {tenant: SENDER}, {tenant: box}
    return Gateway(
        tenant,
        database,
        clock,
        others,
        box,
        EventEntry(database, others, book, 2.0, 900.0),
        Submission(database, book, senders, boxes, 100, 0.01, 10.0),
        Mailbox(database, boxes, {tenant: "THROUGHLINE"}, 0.01),
        ClaimsServicer(database, others, book, senders, FhirEntry(database, Once(database), others, book, 2.0)),
    )
