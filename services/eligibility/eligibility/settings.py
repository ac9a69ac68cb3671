"""What a site sets for coverage checks."""

from __future__ import annotations

from chassis import ServiceSettings
from pydantic import Field, SecretStr

from eligibility.model import Policy


class Settings(ServiceSettings):
    """Settings of the eligibility service, each as RCM_<NAME>."""

    clearinghouse_url: str = Field(description="Where 270s go: http(s)://host or file:///folder.")
    clearinghouse_token: SecretStr = Field(default=SecretStr(""), description="Bearer token of the clearinghouse.")
    submitter_id: str = Field(default="THROUGHLINE", description="Our id at the clearinghouse (ISA06).")
    clearinghouse_receiver: str = Field(default="SYNCLEAR", description="The clearinghouse's id (ISA08).")
    usage: str = Field(default="T", pattern="^[TP]$", description="ISA15: T for test, P for production.")
    ask_timeout_s: float = Field(default=20.0, gt=0, description="Longest wait for a 271 (CAQH CORE gives 20 s).")
    max_age_hours: int = Field(default=72, gt=0, description="An answer older than this is asked for again.")
    retry_waits_s: tuple[int, ...] = Field(
        default=(30, 120, 600, 3600), min_length=1, description="Waits after each attempt without an answer."
    )
    max_tries: int = Field(default=5, ge=1, description="Attempts without an answer before a person is told.")
    previsit_hours: int = Field(default=24, gt=0, description="How long before an appointment to check again.")

    def policy(self) -> Policy:
        return Policy(
            max_age_hours=self.max_age_hours,
            retry_waits_s=self.retry_waits_s,
            max_tries=self.max_tries,
            previsit_hours=self.previsit_hours,
        )
