"""One function per verb. Each changes rows of an open transaction and returns the facts that follow; none commits."""

from claims_gateway.handlers.acknowledging import acknowledge_claim, acknowledge_file, hold_unmatched
from claims_gateway.handlers.building import (
    look_again,
    standing_claim,
    take_charges,
    take_submitted,
    take_submitted_again,
)
from claims_gateway.handlers.correcting import Word, release_hold, resubmit_claim
from claims_gateway.handlers.settling import note_appeal, note_denial, note_underpayment, post_payment, reverse_payment
from claims_gateway.handlers.submitting import claim_ready, mark_submitted, refuse_batch, refuse_claim

__all__ = [
    "Word",
    "acknowledge_claim",
    "acknowledge_file",
    "claim_ready",
    "hold_unmatched",
    "look_again",
    "mark_submitted",
    "note_appeal",
    "note_denial",
    "note_underpayment",
    "post_payment",
    "refuse_batch",
    "refuse_claim",
    "release_hold",
    "resubmit_claim",
    "reverse_payment",
    "standing_claim",
    "take_charges",
    "take_submitted",
    "take_submitted_again",
]
