"""Settings of the journey service."""

from chassis import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    linger_ms: int = Field(100, ge=0, description="How long facts gather before they are recorded, in milliseconds.")
    fold_every_ms: int = Field(500, ge=10, description="How often heard facts are added up, in milliseconds.")
    fold_batch: int = Field(500, ge=1, description="How many journeys are added up in one transaction at the most.")
