"""What a site sets for the FHIR door."""

from __future__ import annotations

from pathlib import Path

from chassis import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """Settings of the interface engine, each as RCM_<NAME>."""

    clients_file: Path | None = Field(
        default=None, description="TOML rows [[client]] with id, token_sha256, tenant, source; none lets nobody in."
    )
    base_url: str = Field(
        default="https://throughline.example/fhir",
        pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$",
        description="Our FHIR address as others see it, without a slash at its end.",
    )
    write_tries: int = Field(default=6, ge=1, description="Attempts when others write the same resources meanwhile.")
    linger_ms: int = Field(default=50, ge=0, description="How long facts gather before the read model takes them in.")
    page_size: int = Field(default=50, ge=1, le=500, description="Matches on a page of a search that names no _count.")
