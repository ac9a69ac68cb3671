"""What a remittance advice says of claims, as far as the books and the people behind them need it. Cents throughout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

REVERSAL = "22"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One CAS triplet: group CO, PR, OA or PI, CARC, cents taken off the charge."""

    group: str
    reason: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePayment:
    """A line as decided. `original_code` is what was billed, when it differs; `line_control` is REF*6R."""

    code: str
    charge_cents: int
    paid_cents: int
    original_code: str = ""
    modifiers: tuple[str, ...] = ()
    line_control: str = ""
    allowed_cents: int | None = None
    adjustments: tuple[Adjustment, ...] = ()
    remark_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPayment:
    """A claim as decided: CLP01 to CLP04 and CLP07, its adjustments, lines and remarks. `status` is CLP02."""

    control_number: str
    status: str
    charge_cents: int
    paid_cents: int
    payer_claim_number: str = ""
    crossover_payer_id: str = ""
    rendering_npi: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    lines: tuple[LinePayment, ...] = ()
    remark_codes: tuple[str, ...] = ()

    @property
    def is_reversal(self) -> bool:
        """Takes an earlier payment back, negating its amounts (RFI 1429)."""
        return self.status == REVERSAL

    @property
    def line_claims(self) -> tuple[str, ...]:
        """The claims to which its lines belong: our REF*6R is CLM01 and two digits, which come back as we sent them."""
        return tuple(dict.fromkeys(line.line_control[:-2] for line in self.lines if len(line.line_control) > 2))

    def every_adjustment(self) -> tuple[Adjustment, ...]:
        """The claim's adjustments and those of its lines."""
        return self.adjustments + tuple(part for line in self.lines for part in line.adjustments)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAdjustment:
    """One pair of a PLB segment. A positive amount reduces the payment."""

    provider_id: str
    fiscal_period_end: date
    reason: str
    amount_cents: int
    reference: str = ""
