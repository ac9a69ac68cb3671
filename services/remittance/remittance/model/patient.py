"""A payment of a patient, as the front desk or the mail brings it."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.errors import Unreadable

METHODS = ("card", "cash", "check", "ach", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientPayment:
    """Cents of a claim's patient share. `key` is the caller's: the same key is the same payment.

    Unreadable: paid-cents, method-unknown, idempotency-key-missing.
    """

    claim_id: str
    paid_cents: int
    method: str
    key: str
    point_of_service: bool = False

    def __post_init__(self) -> None:
        if self.paid_cents <= 0:
            raise Unreadable("paid-cents", "paid_cents", "a payment is more than nothing")
        if self.method not in METHODS:
            raise Unreadable("method-unknown", "method", f"a method is one of {', '.join(METHODS)}")
        if not self.key:
            raise Unreadable("idempotency-key-missing", "idempotency_key", "money is taken once: give a key")

    @property
    def mark(self) -> str:
        """What the payment says, so that a key cannot stand for two."""
        place = "point-of-service" if self.point_of_service else "later"
        return f"{self.claim_id}|{self.paid_cents}|{self.method}|{place}"
