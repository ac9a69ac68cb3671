"""What a site sets for prior authorization."""

from __future__ import annotations

from chassis import ServiceSettings
from clearinghouse import RealtimeSettings
from pydantic import Field

from prior_auth.model import Policy


class Settings(RealtimeSettings, ServiceSettings):
    """Settings of the prior-auth service, each as RCM_<NAME>."""

    window_days: int = Field(default=90, ge=0, description="Days asked for when an order names no day of its own.")
    inquire_waits_s: tuple[int, ...] = Field(
        default=(30, 120, 600, 3600), min_length=1, description="Waits before a request without a decision is repeated."
    )
    max_tries: int = Field(default=5, ge=1, description="Attempts without an answer before no more are made.")
    urgent_hours: int = Field(default=72, ge=1, description="A payer's time for an urgent request (CMS-0057-F).")
    standard_hours: int = Field(default=168, ge=1, description="A payer's time for a standard request (CMS-0057-F).")
    submit_wait_s: float = Field(
        default=12.0, gt=0, le=14.0, description="Longest wait for the payer before a submitted request is pended."
    )
    submit_repeat_s: float = Field(
        default=300.0, ge=0, description="How long a submitted request without a key gets the same answer again."
    )

    def policy(self) -> Policy:
        return Policy(
            retry_waits_s=self.inquire_waits_s,
            max_tries=self.max_tries,
            urgent_hours=self.urgent_hours,
            standard_hours=self.standard_hours,
        )
