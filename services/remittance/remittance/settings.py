"""What a site can tell the remittance service."""

from __future__ import annotations

from chassis import ServiceSettings
from clearinghouse import MailboxSettings
from pydantic import Field


class Settings(MailboxSettings, ServiceSettings):
    """Each field is an environment variable RCM_<NAME>."""

    mailbox_every_s: float = Field(0.3, gt=0, description="Seconds between looks into the mailbox")
    file_attempts: int = Field(5, ge=1, description="Attempts at a file before it is set aside for a person")
