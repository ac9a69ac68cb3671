"""What the handlers need of the outside, and the desk that hands it to them for one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from remittance.model.claim import ClaimAccount
from remittance.model.denial import Denial
from remittance.model.events import Fact, RemittanceQuarantined
from remittance.model.ledger import Balance, Posting
from remittance.model.remittance import Deposit, ReceivedRemittance, UnmatchedPayment, Work
from remittance.rules import Rulebook

DEPOSIT_DUE = "remittance.deposit-due"


class Books(Protocol):
    """The tables of one tenant inside one transaction."""

    async def lock(self, names: Sequence[str]) -> None:
        """Waits for whoever else works on one of these names, until the transaction ends."""

    async def keep_account(self, account: ClaimAccount) -> None:
        """Stores the claim as it stands, in place of what was known of it."""

    async def account(self, claim_id: str) -> ClaimAccount | None: ...

    async def accounts_by_control(self, control_numbers: Sequence[str]) -> dict[str, ClaimAccount]: ...

    async def post(self, posting: Posting) -> None: ...

    async def mark(self, posting_id: str) -> str | None:
        """The mark of a posting, None when there is no such posting."""

    async def unreversed(self, claim_id: str) -> list[Posting]:
        """Payments and write-offs of a claim that nothing has taken back, oldest first."""

    async def balance(self, claim_id: str) -> Balance: ...

    async def add_remittance(self, remittance: ReceivedRemittance) -> None: ...

    async def remittance(self, remittance_id: str) -> ReceivedRemittance | None: ...

    async def remittances_by_trace(self, trace_number: str) -> list[ReceivedRemittance]: ...

    async def settle_remittance(self, remittance_id: str, deposit_id: str) -> None: ...

    async def add_quarantine(self, quarantined: RemittanceQuarantined, file_id: str) -> bool:
        """False when it lies there already."""

    async def add_unmatched(self, payment: UnmatchedPayment) -> None: ...

    async def unmatched(self, control_number: str) -> list[UnmatchedPayment]:
        """What still waits under a control number, in the order in which it came."""

    async def settle_unmatched(self, payment_id: str) -> None: ...

    async def count_unmatched(self, remittance_id: str) -> int: ...

    async def add_denial(self, denial: Denial) -> None: ...

    async def denial(self, work_id: str) -> Denial | None: ...

    async def denials_of(self, claim_id: str) -> list[Denial]: ...

    async def set_denial_state(self, work_id: str, state: str) -> None: ...

    async def add_deposit(self, deposit: Deposit) -> bool:
        """False when the bank reported it before."""

    async def deposit(self, deposit_id: str) -> Deposit | None: ...

    async def deposits_by_trace(self, trace_number: str) -> list[Deposit]: ...

    async def settle_deposit(self, deposit_id: str, remittance_id: str) -> None: ...

    async def open_work(self, work: Work) -> bool:
        """False when that work is open already; one that was closed is opened again."""

    async def close_work(self, work_id: str) -> Work | None:
        """The work that was open until now, None when there was none."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a handler needs for one transaction. `now` is one instant for all of it.

    `resume(traceparent, journey id)` runs a block in a new trace that links to the stored one and to the journey.
    """

    books: Books
    rules: Rulebook
    now: datetime
    tell: Callable[[Fact], Awaitable[None]]
    schedule: Callable[[str, str, datetime], Awaitable[None]]
    cancel: Callable[[str, str], Awaitable[None]]
    resume: Callable[[str, str], AbstractContextManager[object]]

    @property
    def today(self) -> date:
        return self.now.date()
