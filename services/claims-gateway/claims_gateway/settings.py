"""What a site can tell the claims gateway."""

from __future__ import annotations

from chassis import ServiceSettings
from clearinghouse import MailboxSettings
from pydantic import AwareDatetime, Field


class Settings(MailboxSettings, ServiceSettings):
    """Each field is an environment variable RCM_<NAME>."""

    clearinghouse_receiver: str = Field("SYNCLEAR", description="Receiver id in ISA08 and NM1*40")
    clearinghouse_name: str = Field("SYNTHETIC CLEARINGHOUSE", description="Receiver name in NM1*40")
    submitter_name: str = Field("THROUGHLINE", description="Submitter name in NM1*41")
    submitter_contact: str = Field("CLAIMS OFFICE", description="Contact in PER of the submitter")
    submitter_phone: str = Field("8005550100", description="Telephone in PER of the submitter, ten digits")
    usage: str = Field("T", pattern="^[TP]$", description="ISA15: T test, P production")
    submit_every_s: float = Field(0.2, gt=0, description="Seconds between looks for claims that are ready")
    submit_batch: int = Field(100, ge=1, le=5000, description="Claims in one 837 at most")
    send_lease_s: float = Field(
        10.0, gt=0, description="Seconds after which a file that was not confirmed is sent again"
    )
    restored_at: AwareDatetime | None = Field(
        None, description="When this database was restored from a backup: 2026-01-31T06:00:00Z; see docs/operate.md"
    )
    restored_wait_s: float = Field(
        86_400.0, ge=0, description="Seconds after a restore in which answers are read and nothing is sent"
    )
    mailbox_every_s: float = Field(0.3, gt=0, description="Seconds between looks into the mailbox")
    first_look_s: float = Field(2.0, gt=0, description="Seconds until a claim that was just held is asked about again")
    look_again_s: float = Field(
        900.0, gt=0, description="Seconds until a held claim that waits for others is asked about"
    )
    coverage_deadline_s: float = Field(25.0, gt=0, description="Deadline of the question about coverage")
    authorization_deadline_s: float = Field(5.0, gt=0, description="Deadline of the question about authorizations")
