"""What a site sets for the FHIR door."""

from __future__ import annotations

from pathlib import Path

from chassis import ServiceSettings
from pydantic import Field


class Settings(ServiceSettings):
    """Settings of the interface engine, each as RCM_<NAME>."""

    base_url: str = Field(
        default="https://throughline.example/fhir",
        pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$",
        description="Our FHIR address as others see it, without a slash at its end.",
    )
    write_tries: int = Field(default=6, ge=1, description="Attempts when others write the same resources meanwhile.")
    linger_ms: int = Field(default=50, ge=0, description="How long facts gather before the read model takes them in.")
    page_size: int = Field(default=50, ge=1, le=500, description="Matches on a page of a search that names no _count.")
    cors_origins: str = Field(
        default="", description="Origins whose pages may use the FHIR door, with commas between; none: no CORS."
    )
    token_s: int = Field(default=300, ge=10, le=3600, description="How long an access token is good, in seconds.")
    open_door: bool = Field(
        default=False, description="Lets in whoever brings no token: for a machine of one's own, on loopback only."
    )
    channels_every_s: float = Field(
        default=2.0, gt=0, description="Seconds between two looks at the files of the feeds."
    )
    hooks_insecure: bool = Field(
        default=False, description="Lets subscriptions name http endpoints on other machines: for tests alone."
    )
    hooks_give_up_hours: float = Field(
        default=24.0, gt=0, description="Hours without a good answer after which a subscription is in error."
    )
    hooks_keep_days: int = Field(default=14, ge=1, description="Days for which a subscription's events are kept.")
    export_keep_hours: float = Field(default=24.0, gt=0, description="Hours for which the files of an export are kept.")
    control_id_days: int = Field(
        default=30, ge=1, description="Days after which a feed may use the number of a message (MSH-10) again."
    )
    message_days: int = Field(
        default=0, ge=0, description="Days after which messages that are done with are deleted; 0 keeps them all."
    )
    mllp_connections: int = Field(default=100, ge=1, description="Connections that one MLLP port takes at a time.")
    mllp_certificate: Path | None = Field(default=None, description="PEM certificate: MLLP over TLS, with mllp_key.")
    mllp_key: Path | None = Field(default=None, description="PEM key of the MLLP certificate.")
    mllp_client_ca: Path | None = Field(default=None, description="PEM of the CA that senders' certificates are from.")
