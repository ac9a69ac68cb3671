"""What a site sets for coverage checks."""

from __future__ import annotations

from chassis import ServiceSettings
from clearinghouse import RealtimeSettings
from pydantic import Field

from eligibility.model import Policy


class Settings(RealtimeSettings, ServiceSettings):
    """Settings of the eligibility service, each as RCM_<NAME>."""

    max_age_hours: int = Field(default=72, gt=0, description="An answer older than this is asked for again.")
    retry_waits_s: tuple[int, ...] = Field(
        default=(30, 120, 600, 3600), min_length=1, description="Waits after each attempt without an answer."
    )
    max_tries: int = Field(default=5, ge=1, description="Attempts without an answer before a person is told.")
    previsit_hours: int = Field(default=24, gt=0, description="How long before an appointment to check again.")
    submit_repeat_s: float = Field(
        default=300.0, ge=0, description="How long a submitted request without a key gets the same answer again."
    )

    def policy(self) -> Policy:
        return Policy(
            max_age_hours=self.max_age_hours,
            retry_waits_s=self.retry_waits_s,
            max_tries=self.max_tries,
            previsit_hours=self.previsit_hours,
        )
