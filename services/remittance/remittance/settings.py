"""What a site can tell the remittance service."""

from __future__ import annotations

from chassis import ServiceSettings
from pydantic import Field, SecretStr


class Settings(ServiceSettings):
    """Each field is an environment variable RCM_<NAME>."""

    clearinghouse_url: str = Field(description="Clearinghouse: https://host or file:///folder")
    clearinghouse_token: SecretStr = Field(SecretStr(""), description="Bearer token at the clearinghouse")
    mailboxes: dict[str, str] = Field(
        default_factory=dict,
        description='Submitter id at the clearinghouse by tenant, as JSON; empty means {tenant: "THROUGHLINE"}',
    )
    mailbox_every_s: float = Field(0.3, gt=0, description="Seconds between looks into the mailbox")
    file_attempts: int = Field(5, ge=1, description="Attempts at a file before it is set aside for a person")

    def submitters(self) -> dict[str, str]:
        """Tenant -> submitter id."""
        return self.mailboxes or {self.tenant: "THROUGHLINE"}
