"""Which fact opens which stage, which loop it begins and which it closes: the ledger's rules as rows."""

from __future__ import annotations

# The stages in the order of the line. `patient` and `settled` are what follows an end: with a balance that the patient
# owes, and without.
STAGES = (
    "documentation",
    "coding",
    "coder-review",
    "charge",
    "missing-charge",
    "hold",
    "submission",
    "clearinghouse",
    "rejection",
    "payer",
    "posting",
    "denial",
    "appeal",
    "settlement",
    "secondary",
    "patient",
    "settled",
)

# Fact (and its qualifier, where one matters) -> the stage that begins; END closes the journey. Facts of one instant
# count in the order of these rows.
END = "end"
STAGE_AFTER: tuple[tuple[str, str, str], ...] = (
    ("appointment.booked", "", "documentation"),
    ("appointment.changed", "", "documentation"),
    ("encounter.started", "", "documentation"),
    ("order.placed", "", "documentation"),
    ("encounter.finished", "", "coding"),
    ("encounter.cancelled", "", END),
    ("work.opened", "coder-review", "coder-review"),
    ("work.opened", "unmapped-code", "coder-review"),
    ("work.closed", "coder-review", "coding"),
    ("work.closed", "unmapped-code", "coding"),
    ("encounter.coded", "", "charge"),
    ("work.opened", "missing-charge", "missing-charge"),
    ("work.closed", "missing-charge", "charge"),
    ("charges.captured", "", "submission"),
    ("charges.amended", "", "submission"),
    ("claim.built", "ready", "submission"),
    ("claim.built", "held", "hold"),
    ("claim.held", "", "hold"),
    ("claim.submitted", "", "clearinghouse"),
    ("claim.acknowledged", "received", "clearinghouse"),
    ("claim.acknowledged", "accepted", "payer"),
    ("claim.rejected", "", "rejection"),
    ("claim.voided", "", END),
    ("payment.reversed", "", "payer"),
    ("payment.posted", "paid", END),
    ("payment.posted", "partly_paid", END),
    ("payment.posted", "written_off", END),
    ("payment.posted", "denied", "denial"),
    ("claim.denied", "", "denial"),
    ("claim.appealed", "", "appeal"),
    ("deposit.matched", "", END),
    ("patient.paid", "", END),
)
RANK = {(event, qualifier): rank for rank, (event, qualifier, _) in enumerate(STAGE_AFTER)}
NEXT = {(event, qualifier): stage for event, qualifier, stage in STAGE_AFTER}

# Only the first of these counts: what is documented after the finish never brings a journey back.
BEFORE_THE_CLAIM = frozenset({"documentation"})
# A payment may be posted before its claim's acknowledgement is read: that says nothing new any more.
ANSWERED = frozenset({"denial", "settlement", "patient", "settled"})
OVERTAKEN = frozenset({"claim.acknowledged"})
# All of a later payer's claim is one stage, from its building until its payer has answered.
WITH_A_LATER_PAYER = {"submission": "secondary", "clearinghouse": "secondary", "payer": "secondary"}

# A loop of rework lasts until the claim is back where it was.
LOOP_OPENED_BY = {"hold": "hold", "rejection": "rejection", "denial": "denial"}  # by the stage that begins
TAKEBACK = "takeback"
LOOPS_CLOSED_BY: dict[tuple[str, str], frozenset[str]] = {
    ("claim.built", "ready"): frozenset({"hold"}),
    ("claim.submitted", ""): frozenset({"hold", "rejection"}),
    ("payment.posted", "paid"): frozenset({"hold", "rejection", "denial", TAKEBACK}),
    ("payment.posted", "partly_paid"): frozenset({"hold", "rejection", "denial", TAKEBACK}),
    ("payment.posted", "written_off"): frozenset({"hold", "rejection", "denial", TAKEBACK}),
    ("payment.posted", "denied"): frozenset({"hold", "rejection", "denial", TAKEBACK}),
    ("claim.voided", ""): frozenset({"hold", "rejection", "denial", TAKEBACK}),
    ("encounter.cancelled", ""): frozenset({"hold", "rejection", "denial", TAKEBACK}),
}

# Stages in which a person holds the pen, and the outcome that is shown for them.
WAITS_FOR_A_PERSON = {
    "coder-review": "review",
    "missing-charge": "held",
    "hold": "held",
    "rejection": "rejected",
    "denial": "denied",
}
