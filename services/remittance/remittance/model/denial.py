"""A denial in work: its states and the one table of steps between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kernel.transitions import Transitions

OPEN = "open"
APPEALED = "appealed"
WRITTEN_OFF = "written_off"
OVERTURNED = "overturned"
UPHELD = "upheld"

TRANSITIONS = Transitions(
    {
        OPEN: {APPEALED, WRITTEN_OFF, OVERTURNED},
        APPEALED: {WRITTEN_OFF, OVERTURNED, UPHELD},
        WRITTEN_OFF: {OVERTURNED},  # the payer took the denial back after we had given it up
        UPHELD: {OVERTURNED},  # the payer denied it again: what is open is the newer denial's
        OVERTURNED: (),
    }
)

# What a person may do, and the state it leads to.
ACTIONS: Mapping[str, str] = {"write_off": WRITTEN_OFF, "appeal": APPEALED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """What a payer refused. `posting_id` is the posting that recorded it, `cents` what it left open.

    `codes` are the procedures of the lines that were denied.
    """

    work_id: str
    claim_id: str
    posting_id: str
    category: str
    carc: tuple[str, ...]
    rarc: tuple[str, ...]
    cents: int
    due_on: date
    state: str = OPEN
    payer_id: str = ""
    remittance_id: str = ""
    codes: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[str, ...]:
        """What a person may do from here."""
        return tuple(action for action, state in ACTIONS.items() if TRANSITIONS.allows(self.state, state))
