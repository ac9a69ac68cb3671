"""Ready claims leave. The file is stored before it goes, so that a crash sends the same bytes again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from claims_gateway.handlers.needs import Claims, move
from claims_gateway.model import (
    HELD,
    HOLD,
    SUBMITTED,
    SUBMITTING,
    Claim,
    ClaimMoved,
    Fact,
    Finding,
    Interchange,
    WorkOpened,
)

EDIT_X12 = "edit-x12"
_FILE = uuid.UUID("7f1f0f7a-52d5-5d39-9f3e-5c1b8a0f6d44")


async def claim_ready(
    claims: Claims,
    tenant: str,
    control: int,
    content: str,
    batch: Sequence[Claim],
    now: datetime,
    leased_until: datetime,
) -> Interchange:
    """Stores the file with its claims, which are from now on on their way."""
    for claim in batch:
        await move(claims, claim, SUBMITTING, "batched", now)
    interchange = Interchange(
        interchange_id=str(uuid.uuid5(_FILE, f"{tenant}|{control}")),
        control_number=control,
        payer_id=batch[0].payer_id,
        content=content,
        claim_ids=tuple(claim.claim_id for claim in batch),
        trace=batch[0].draft.trace,
    )
    await claims.add_interchange(interchange, now, leased_until)
    return interchange


async def refuse_claim(claims: Claims, claim: Claim, path: str, now: datetime) -> list[Fact]:
    """Our own check of the 837 objects: `path` is the guide's position, never a value."""
    finding = Finding(EDIT_X12, "error", path, "16", "the 837P would not pass its own guide at this position")
    return await _hold(claims, replace(claim, findings=(*claim.findings, finding)), now)


async def _hold(claims: Claims, claim: Claim, now: datetime) -> list[Fact]:
    held = await move(claims, claim, HELD, EDIT_X12, now)
    return [ClaimMoved("claim.held", held, claim.state, EDIT_X12), WorkOpened(HOLD, EDIT_X12, "biller", held)]


async def mark_submitted(claims: Claims, interchange_id: str, file_id: str, now: datetime) -> list[Fact]:
    """The clearinghouse has the file. Said twice, the second time finds no claim that waits."""
    facts: list[Fact] = []
    for claim in await claims.claims_of(interchange_id):
        submitted = await move(claims, claim, SUBMITTED, "handed-over", now)
        facts.append(ClaimMoved("claim.submitted", submitted, SUBMITTING, "handed-over"))
    await claims.confirm_interchange(interchange_id, file_id, "sent", now)
    return facts


async def refuse_batch(claims: Claims, interchange_id: str, code: str, now: datetime) -> list[Fact]:
    """The clearinghouse will not take the file, now or ever: its claims need a person. `code` says why."""
    facts: list[Fact] = []
    for claim in await claims.claims_of(interchange_id):
        facts += await refuse_claim(claims, claim, f"interchange:{code}", now)
    await claims.confirm_interchange(interchange_id, "", code, now)
    return facts
