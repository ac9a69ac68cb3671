"""What handlers need of the store, and the one way in which a claim changes its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol

from kernel.errors import Refused

from claims_gateway.model import TRANSITIONS, BilledLine, Claim, Interchange


class Claims(Protocol):
    """Claims of one tenant on one open transaction."""

    async def add(self, claim: Claim, now: datetime) -> bool: ...
    async def save(self, claim: Claim, now: datetime) -> None: ...
    async def replace_lines(self, claim: Claim) -> None: ...
    async def record(self, claim_id: str, from_state: str, to_state: str, reason: str, now: datetime) -> None: ...
    async def find(self, encounter_key: str, payer_id: str, responsibility: int) -> Claim | None: ...
    async def lock(self, claim_id: str) -> Claim | None: ...
    async def lock_by_control_number(self, control_number: str) -> Claim | None: ...
    async def lock_of_interchange(self, control_number: int) -> list[Claim]: ...
    async def history(self, patient: str, days: Sequence[date], except_claim: str) -> list[BilledLine]: ...
    async def claims_of(self, interchange_id: str) -> list[Claim]: ...
    async def lock_ready(self, payer_id: str, limit: int) -> list[Claim]: ...
    async def next_control_number(self, name: str) -> int: ...
    async def add_interchange(self, interchange: Interchange, now: datetime, leased_until: datetime) -> None: ...
    async def confirm_interchange(self, interchange_id: str, file_id: str, outcome: str, now: datetime) -> None: ...
    async def keep_unmatched(self, file_id: str, reason: str, now: datetime) -> None: ...


async def move(claims: Claims, claim: Claim, state: str, reason: str, now: datetime) -> Claim:
    """Checks the step, stores the claim in its new state and the step with its reason. Refused for an illegal one."""
    TRANSITIONS.check(claim.state, state)
    moved = replace(claim, state=state)
    await claims.save(moved, now)
    await claims.record(claim.claim_id, claim.state, state, reason, now)
    return moved


async def note(claims: Claims, claim: Claim, reason: str, now: datetime) -> None:
    """Something happened that does not change the claim's state; it is kept all the same."""
    await claims.record(claim.claim_id, claim.state, claim.state, reason, now)


async def locked(claims: Claims, claim_id: str) -> Claim:
    """Refused (not_found) when there is no such claim."""
    claim = await claims.lock(claim_id)
    if claim is None:
        raise Refused("claim-not-found", "no such claim", kind="not_found")
    return claim
