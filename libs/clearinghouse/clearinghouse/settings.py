"""What a service that speaks with a clearinghouse is told besides the settings that every service has."""

from __future__ import annotations

import httpx
from pydantic import BaseModel, Field, SecretStr

from clearinghouse.mailbox import Clearinghouse
from clearinghouse.opening import open_clearinghouse
from clearinghouse.trading import Trading

_SUBMITTER = "THROUGHLINE"


class ClearinghouseSettings(BaseModel):
    """Where the clearinghouse is. Mix-ins stand before the settings of every service."""

    clearinghouse_url: str = Field(
        pattern=r"^(https?://[^\s/]+\S*|file://(localhost)?/.*)$",
        description="The clearinghouse: http(s)://host or file:///folder.",
    )
    clearinghouse_token: SecretStr = Field(default=SecretStr(""), description="Bearer token of the clearinghouse.")

    def open_mailbox(self, submitter: str, http: httpx.AsyncClient) -> Clearinghouse:
        """The mailbox of a submitter. ValueError when the address is none that a clearinghouse can have."""
        return open_clearinghouse(self.clearinghouse_url, submitter, http, self.clearinghouse_token.get_secret_value())


class RealtimeSettings(ClearinghouseSettings):
    """For a service that asks and waits: one submitter for all."""

    submitter_id: str = Field(default=_SUBMITTER, description="Our id at the clearinghouse (ISA06).")
    clearinghouse_receiver: str = Field(default="SYNCLEAR", description="The clearinghouse's id (ISA08).")
    usage: str = Field(default="T", pattern="^[TP]$", description="ISA15: T for test, P for production.")
    ask_timeout_s: float = Field(default=20.0, gt=0, description="Longest wait for an answer (CAQH CORE gives 20 s).")

    def trading(self) -> Trading:
        return Trading(self.submitter_id, self.clearinghouse_receiver, self.usage)

    def open_clearinghouse(self, http: httpx.AsyncClient) -> Clearinghouse:
        """ValueError when the address is none that a clearinghouse can have."""
        return self.open_mailbox(self.submitter_id, http)


class MailboxSettings(ClearinghouseSettings):
    """For a service that drops files and fetches them: a mailbox for each tenant."""

    mailboxes: dict[str, str] = Field(
        default_factory=dict,
        description=f'Submitter id at the clearinghouse by tenant, as JSON; empty means {{RCM_TENANT: "{_SUBMITTER}"}}',
    )

    def submitters(self, tenant: str) -> dict[str, str]:
        """Tenant -> submitter id; without a setting `tenant` is the only one."""
        return self.mailboxes or {tenant: _SUBMITTER}
