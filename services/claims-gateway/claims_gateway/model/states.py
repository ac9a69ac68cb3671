"""The states of a claim and the one table of steps between them."""

from __future__ import annotations

from typing import Final

from kernel.transitions import Transitions

DRAFT: Final = "draft"
HELD: Final = "held"
READY: Final = "ready"
SUBMITTING: Final = "submitting"
SUBMITTED: Final = "submitted"
RECEIVED: Final = "received"
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
CORRECTED: Final = "corrected"
ADJUDICATED: Final = "adjudicated"
PAID: Final = "paid"
PARTLY_PAID: Final = "partly_paid"
DENIED: Final = "denied"
UNDERPAID: Final = "underpaid"
APPEALED: Final = "appealed"
REVERSED: Final = "reversed"
REPLACED: Final = "replaced"
VOIDED: Final = "voided"
WRITTEN_OFF: Final = "written_off"
SECONDARY_DUE: Final = "secondary_due"
CLOSED: Final = "closed"

# `submitting` stands for bytes that are stored and may have left: only the answer to them decides what follows.
# A payer may adjudicate before, or even without, acknowledging: money is evidence enough, also after a rejection.
TRANSITIONS: Final = Transitions(
    {
        DRAFT: {HELD, READY, CLOSED},
        HELD: {READY, VOIDED, CLOSED},
        READY: {HELD, SUBMITTING, VOIDED},
        SUBMITTING: {SUBMITTED, HELD},
        SUBMITTED: {RECEIVED, ACCEPTED, REJECTED, ADJUDICATED},
        RECEIVED: {ACCEPTED, REJECTED, ADJUDICATED},
        ACCEPTED: {REJECTED, ADJUDICATED},
        REJECTED: {CORRECTED, ADJUDICATED, VOIDED, WRITTEN_OFF},
        CORRECTED: {READY, HELD},
        ADJUDICATED: {PAID, PARTLY_PAID, DENIED},
        PAID: {ADJUDICATED, REVERSED, UNDERPAID, SECONDARY_DUE, CLOSED},
        PARTLY_PAID: {ADJUDICATED, REVERSED, UNDERPAID, DENIED, APPEALED, REPLACED, VOIDED, SECONDARY_DUE, CLOSED},
        DENIED: {ADJUDICATED, REVERSED, APPEALED, REPLACED, VOIDED, WRITTEN_OFF, SECONDARY_DUE},
        UNDERPAID: {ADJUDICATED, REVERSED, APPEALED, REPLACED, VOIDED, WRITTEN_OFF, CLOSED},
        APPEALED: {ADJUDICATED, WRITTEN_OFF},
        REVERSED: {ADJUDICATED, VOIDED},
        SECONDARY_DUE: {CLOSED},
        REPLACED: {CLOSED},
        WRITTEN_OFF: {CLOSED},
        VOIDED: (),
        CLOSED: {REVERSED},
    }
)

# The payer has it, or will have it: what a second claim for the same service would duplicate.
SENT: Final = TRANSITIONS.states - {DRAFT, HELD, REJECTED, CORRECTED, VOIDED, CLOSED}
# Its content may still change.
OPEN: Final = frozenset({HELD, READY})

# The work that a person has with a claim, by its kind, and the states in which it waits for that.
HOLD: Final = "claim-hold"
REJECTION: Final = "rejection"
WAITS_AS: Final = {HELD: HOLD, REJECTED: REJECTION}
