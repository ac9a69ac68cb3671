"""What a site sets for coding."""

from __future__ import annotations

from datetime import timedelta

from chassis import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """Settings of the coding service, each as RCM_<NAME>."""

    review_hours: int = Field(default=24, gt=0, description="Hours within which a coder looks at what was held.")

    @property
    def review_due_in(self) -> timedelta:
        return timedelta(hours=self.review_hours)
