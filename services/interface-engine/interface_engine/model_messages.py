"""A message of a feed: how it came, how it was answered, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from kernel.transitions import Transitions

RECEIVED, KEPT, FILTERED, FAILED = "received", "kept", "filtered", "failed"
QUARANTINED, DISMISSED = "quarantined", "dismissed"
# Replayed is received again. What failed holds back what came after it for the same patient until somebody decides.
MESSAGE_STATES = Transitions(
    {
        RECEIVED: (KEPT, FILTERED, FAILED),
        KEPT: (RECEIVED,),
        FILTERED: (RECEIVED,),
        FAILED: (RECEIVED, DISMISSED),
        QUARANTINED: (RECEIVED, DISMISSED),
        DISMISSED: (RECEIVED,),
    }
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message on its way into the store. `identity` tells a message that is sent again; `subject` orders a patient's
    messages, "" orders with nothing; `ack` is what we answer, b"" for no answer; `day` is the feed's own day;
    `work_id` names the work item of one that needs a person; `error_code` would answer an error, "" for no answer."""

    id: str
    channel: str
    raw: bytes
    sha256: bytes
    identity: bytes
    control_id: str
    kind: str
    mrn: str
    account: str
    visit: str
    subject: str
    ack: bytes
    state: str = RECEIVED
    reason: str = ""
    path: str = ""
    charges_in: int = 0
    cents_in: int = 0
    day: date | None = None
    work_id: str = ""
    error_code: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the store made of an arrival: its id there and the answer that goes back. `again`: it was there already."""

    id: str
    ack: bytes
    state: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message. `attempts` counts tries that failed for want of something that comes back."""

    id: str
    position: int
    channel: str
    received_at: datetime
    raw: bytes
    control_id: str
    kind: str
    mrn: str
    account: str
    visit: str
    subject: str
    state: str
    reason: str
    path: str
    attempts: int
    finished_at: datetime | None
    work_id: str
    day: date
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a message that was worked on: `state` and why; `resources` are those that it changed."""

    state: str
    reason: str = ""
    path: str = ""
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search for messages; what is empty does not count. `resource` is "Claim/<id>", "Encounter/<id>", ..."""

    channel: str = ""
    mrn: str = ""
    account: str = ""
    visit: str = ""
    control_id: str = ""
    resource: str = ""
    states: tuple[str, ...] = ()
    since: datetime | None = None
    before: int | None = None  # position: the next page
    limit: int = 50

    def by(self) -> Mapping[str, str]:
        """The columns that must equal a text."""
        named = ("channel", "mrn", "account", "visit", "control_id")
        return {name: getattr(self, name) for name in named if getattr(self, name)}
