"""Who holds the money in each stage, as the charts colour it: our machine, one of our people, somebody outside."""

from __future__ import annotations

HOLDER: dict[str, str] = {
    "documentation": "person",
    "coding": "machine",
    "coder-review": "person",
    "charge": "machine",
    "missing-charge": "person",
    "hold": "person",
    "submission": "machine",
    "clearinghouse": "outside",
    "rejection": "person",
    "payer": "outside",
    "posting": "machine",
    "denial": "person",
    "appeal": "outside",
    "settlement": "outside",
    "secondary": "outside",
    "patient": "patient",
    "settled": "over",
}
HOLDERS: tuple[tuple[str, str], ...] = (
    ("machine", "our machine"),
    ("person", "one of our people"),
    ("outside", "payer, clearinghouse or bank"),
    ("patient", "the patient"),
    ("over", "nobody: it had ended"),
)
STATES = ("in-flight", "waiting", "ended")
OUTCOMES = ("paid", "partly-paid", "written-off", "refused", "review", "held", "rejected", "denied")
PAYER_CLASSES = ("medicare", "medicaid", "commercial", "tricare", "other")
# How a state or outcome is coloured.
TONES: dict[str, str] = {
    "paid": "good",
    "partly-paid": "note",
    "written-off": "warn",
    "refused": "warn",
    "review": "warn",
    "held": "warn",
    "rejected": "bad",
    "denied": "bad",
    "in-flight": "note",
}
