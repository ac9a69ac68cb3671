"""Reads TA1, 999 and 277CA from our mailbox, each in one transaction with the cursor that it moves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from bus import Database, Unit, linked_trace
from bus.trace import JOURNEY_ID
from clearinghouse import Clearinghouse, MailFile
from kernel.errors import Refused, Unreadable

from claims_gateway import handlers
from claims_gateway.entry_events import publish
from claims_gateway.model import Claim, Fact, FileUnmatched
from claims_gateway.store import Claims
from claims_gateway.wire.mail import Mail, read_mail

KINDS = ("TA1", "999", "277CA")
_PAGE = 100
_EARLY_DAYS = 30  # that long an answer waits for its claim to be built again
# What a file that belongs to nothing of ours is filed under, by its kind.
_UNKNOWN = {"TA1": "ta1-unknown-interchange", "999": "999-unknown-set", "277CA": "277ca-unknown-claim"}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """`boxes` is keyed by tenant, `names` gives the mailbox of each."""

    database: Database
    boxes: Mapping[str, Clearinghouse]
    names: Mapping[str, str]
    every_s: float

    async def run(self) -> None:
        """Until cancelled. Raises Unavailable when the clearinghouse is away: run it again after a while."""
        while True:
            read = [await self.poll(tenant) for tenant in self.boxes]
            if not any(read):
                await asyncio.sleep(self.every_s)

    async def poll(self, tenant: str) -> int:
        """Files read."""
        async with self.database.unit(tenant) as unit:
            cursor = await Claims(unit.conn).cursor(self.names[tenant])
        files = await self.boxes[tenant].list_files(KINDS, cursor, _PAGE)
        for file in files:
            content = await self._fetch(tenant, file)
            async with self.database.unit(tenant) as unit:
                await self._take(unit, file, content)
        return len(files)

    async def _fetch(self, tenant: str, file: MailFile) -> bytes | None:
        """None for a file that is listed but gone: it is noted, and does not stop those behind it."""
        try:
            return await self.boxes[tenant].fetch(file.id)
        except Refused:
            return None

    async def _take(self, unit: Unit, file: MailFile, content: bytes | None) -> None:
        claims, name = Claims(unit.conn), self.names[unit.tenant]
        if await claims.cursor(name, lock=True) >= file.cursor:
            return
        facts, problem = await self._read(claims, unit, file, content)
        if problem:
            facts += await handlers.hold_unmatched(claims, file.id, problem, unit.now)
        await claims.keep_file(name, file.id, file.kind, file.cursor, content or b"", problem or "read", unit.now)
        for _, of_one in groupby(facts, _claim_of):
            await _publish_linked(unit, list(of_one))

    async def _read(self, claims: Claims, unit: Unit, file: MailFile, content: bytes | None) -> tuple[list[Fact], str]:
        """(facts, "" or the reason why a person must look at the file)."""
        if content is None:
            return [], "file-missing"
        try:
            mail = read_mail(content)
        except Unreadable as error:
            return [], error.code
        facts, known = await _apply(claims, unit, mail)
        return facts, "" if known else _UNKNOWN.get(file.kind, "unknown-set")


async def _apply(claims: Claims, unit: Unit, mail: Mail) -> tuple[list[Fact], bool]:
    """False when anything in the file was not ours; the rest of it holds all the same."""
    facts: list[Fact] = []
    known = True
    for verdict in mail.files:
        ours, followed = await handlers.acknowledge_file(
            claims, verdict.control_number, verdict.state, verdict.reason, unit.now
        )
        facts += followed
        known &= ours
    for said in mail.claims:
        ours, followed = await handlers.acknowledge_claim(claims, said, unit.now)
        facts += followed
        known &= ours
    return facts, known


async def take_early_answers(unit: Unit, ready: Sequence[Claim]) -> list[Claim]:
    """Those of `ready` about which nobody outside has spoken yet.

    For the others a 277CA came before they were built here: they were sent before a restore, and go on from there.
    """
    claims, numbers = Claims(unit.conn), {claim.control_number for claim in ready}
    since = unit.now - timedelta(days=_EARLY_DAYS)
    answered: set[str] = set()
    for content in await claims.early_answers(_UNKNOWN["277CA"], since, sorted(numbers)):
        for said in read_mail(content).claims:
            if said.control_number in numbers and said.interchange > 0:
                answered.add(said.control_number)
                _, facts = await handlers.acknowledge_claim(claims, said, unit.now)
                if facts:
                    await _publish_linked(unit, facts)
    return [claim for claim in ready if claim.control_number not in answered]


def _claim_of(fact: Fact) -> str:
    return "" if isinstance(fact, FileUnmatched) else fact.claim.claim_id


async def _publish_linked(unit: Unit, facts: list[Fact]) -> None:
    """The wait was for the outside: a new trace for each claim, linked to the one in which it went to sleep."""
    if isinstance(facts[0], FileUnmatched):
        await publish(unit, facts)
        return
    draft = facts[0].claim.draft
    with linked_trace(draft.trace, "claim acknowledged", **{JOURNEY_ID: draft.journey_id}):
        await publish(unit, facts)
