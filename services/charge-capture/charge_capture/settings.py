"""What a site sets for charge capture."""

from __future__ import annotations

from datetime import timedelta

from chassis import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """Settings of the charge capture service, each as RCM_<NAME>."""

    missing_charge_hours: int = Field(default=24, gt=0, description="Hours within which a missing charge is looked at.")

    @property
    def missing_due_in(self) -> timedelta:
        return timedelta(hours=self.missing_charge_hours)
