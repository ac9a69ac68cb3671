"""A claim goes on account when it goes out, once, and meets what a payer may have sent before we knew of it."""

from __future__ import annotations

from dataclasses import replace

from remittance.handlers.payments import settle_waiting
from remittance.handlers.ports import Desk
from remittance.model.claim import ClaimAccount
from remittance.model.identity import derived_id
from remittance.model.ledger import BILLED, Posting, bill


async def open_account(desk: Desk, account: ClaimAccount) -> None:
    """Keeps the claim and bills it; for one that is known, only what changed (a correction sent again)."""
    await desk.books.lock([f"claim:{account.control_number}", f"claim:{account.claim_id}"])
    known = await desk.books.account(account.claim_id)
    if known is not None:
        account = _merged(known, account)
    if account == known:
        return
    await desk.books.keep_account(account)
    await _bill(desk, account, account.billed_cents - (known.billed_cents if known else 0))
    await settle_waiting(desk, account)


def _merged(known: ClaimAccount, told: ClaimAccount) -> ClaimAccount:
    """What is told now, the burst that sent it included; nothing that is known gives way to nothing."""
    return replace(
        told,
        trace=told.trace or known.trace,
        journey_id=told.journey_id or known.journey_id,
        payer_claim_number=told.payer_claim_number or known.payer_claim_number,
        lines=told.lines or known.lines,
        provider=told.provider or known.provider,
        insurer=told.insurer or known.insurer,
        payer_class=told.payer_class or known.payer_class,
    )


async def _bill(desk: Desk, account: ClaimAccount, cents: int) -> None:
    if cents == 0:
        return
    await desk.books.post(
        Posting(
            posting_id=derived_id("billed", account.claim_id, account.control_number, account.billed_cents),
            kind=BILLED,
            entries=bill(cents),
            claim_id=account.claim_id,
            payer_id=account.payer_id,
            reason="claim-submitted",
        )
    )
