"""What happened: the facts that handlers return and entries publish, and the files that go out and come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from claims_gateway.model.claim import Claim


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """What an acknowledgement says about one claim: the state it leads to and why (a code, never text).

    `interchange` is ISA13 of the file that it answers to, where it says so.
    """

    control_number: str
    state: str
    reason: str
    payer_claim_number: str = ""
    interchange: int = -1


@dataclass(frozen=True, slots=True)
class ClaimMoved:
    """A claim went from one state to another; `event` is the fact's name on the line."""

    event: str
    claim: Claim
    from_state: str
    reason: str


@dataclass(frozen=True, slots=True)
class WorkOpened:
    """A person must decide about a claim."""

    kind: str
    reason: str
    owner: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class WorkClosed:
    kind: str
    reason: str
    owner: str
    claim: Claim
    outcome: str = "resolved"


@dataclass(frozen=True, slots=True)
class FileUnmatched:
    """A mailbox file that belongs to nothing we know, or that cannot be read. It is kept; a person must look."""

    file_id: str
    reason: str


Fact = ClaimMoved | WorkOpened | WorkClosed | FileUnmatched


@dataclass(frozen=True, slots=True)
class Interchange:
    """One file that we send. `content` is stored before it leaves and sent again, unchanged, after a crash.

    `trace` is that of its first claim, for the hand-over; "" once the file has waited for a second try.
    """

    interchange_id: str
    control_number: int
    payer_id: str
    content: str
    claim_ids: tuple[str, ...] = ()
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A claim as a list shows it. `reason` is the code of its last step."""

    claim: Claim
    created_at: datetime
    changed_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """A row of a claim's history."""

    from_state: str
    to_state: str
    reason: str
    happened_at: datetime
